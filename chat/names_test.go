package chat

import (
	"testing"
)

// Row 82: a taken name is refused in every form that the eye takes for it.
func TestConfusableNames(t *testing.T) {
	for _, tt := range []struct {
		taken, name string
	}{
		{"Ada", "ADA"}, {"Ada", "ada"}, {"Ada", "aDA"},
		{"Ada", "Аda"}, // Cyrillic А
		{"Ada", "Αda"}, // Greek Α
		{"Ada", "Adа"}, // Cyrillic а
		{"ada", "аԁа"}, // all of it
		{"Ada", "Ａｄａ"}, // wide
		{"Ada", "𝐀𝐝𝐚"}, // of mathematics
		{"Ada", "Ⓐⓓⓐ"}, // in circles
		{"Paypal", "PayPaI"}, {"Paypal", "Paypa1"}, {"paypal", "раураl"},
		{"Alice", "AIice"}, {"Alice", "A1ice"}, {"Alice", "Αlісе"},
		{"admin", "аdmіn"}, {"Admin", "ADMIN"}, {"admin", "adrnin"}, {"admin", "ad min"}, {"admin", "ad-min"}, {"admin", "admin."},
		{"Bob", "B0b"}, {"BOB", "ВОВ"},
		{"Helen", "Ηelen"}, {"Nikos", "Νikos"},
		{"Straße", "STRASSE"}, {"Straße", "strasse"},
		{"вася", "ВАСЯ"}, {"Вася", "Bася"}, {"Σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"é", "e\u0301"}, {"É", "é"}, {"ﬁn", "fin"}, {"K", "K"}, // the last is the sign for kelvin
		{"O'Neil", "O’Neil"}, {"O'Neil", "ONeil"}, {"wow", "vvovv"}, {"Łukasz", "Lukasz"},
		{"Zoë", "ZOË"}, {"1van", "lvan"}, {"Ivan", "lvan"}, {"Ivan", "1van"}, {"IVAN", "ivan"},
	} {
		for _, pair := range [][2]string{{tt.taken, tt.name}, {tt.name, tt.taken}} {
			h := New(Options{})
			connect(t, h, pair[0])
			if _, err := h.Connect(Person{ID: "another", Name: pair[1]}, plain); err == nil {
				t.Errorf("%q (%+q) is accepted beside %q", pair[1], pair[1], pair[0])
			} else {
				wantCode(t, err, CodeNameTaken)
			}
			if _, err := h.Connect(Person{ID: "id-" + pair[0], Name: pair[1]}, plain); err != nil {
				t.Errorf("the same person as %q: %v", pair[1], err)
			}
		}
	}
}

func TestNamesThatAreNotConfused(t *testing.T) {
	h := New(Options{})
	for _, name := range []string{"Ada", "Adam", "Ade", "Anna", "Ana", "Åda", "Bob", "Rob", "Zoe", "Zoë", "Eve", "Ève", "李", "木", "李明", "Иван", "Яна",
		"Γιώργος", "Mona", "Nona", "Max", "Maxx", "Jürgen", "Jurgen", "user2", "user3", "🙂", "🙃", "محمد", "محمود", "Tim", "Tom", "Dora", "Cora"} {
		if _, err := h.Connect(Person{ID: "id of " + name, Name: name}, plain); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A name is folded in a time that does not depend on what is in it.
func TestNameKeysAreBounded(t *testing.T) {
	long := ""
	for range maxNameRunes {
		long += "\ufdfa" // eighteen letters, by its compatibility form
	}
	for _, k := range nameKeys(long) {
		if len(k) > 40*len(long) {
			t.Errorf("%d bytes for a name of %d", len(k), len(long))
		}
	}
}
