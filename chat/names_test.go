package chat

import (
	"fmt"
	"strings"
	"testing"

	"framewright/internal/lookalike"
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
		{"jasmin", "jаsmіn"}, {"Jasmin", "JASMIN"}, {"jasmin", "jasrnin"}, {"jasmin", "jas min"}, {"jasmin", "jas-min"}, {"jasmin", "jasmin."},
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

// Names of real people, and what only looks like one.
func TestCheckName(t *testing.T) {
	for _, name := range []string{"Ада Лавлейс", "Ἀρχιμήδης", "محمد", "نرگس\u200c", "می\u200cخواهم", "דָּוִד", "क्\u200dषत्रिय", "क्\u200cष", "ශ්\u200dරී", "നന്\u200d", "สมชาย", "Nguyễn Thị", "李小龍", "さくら", "김민준",
		"Ọ́lá", "👩\u200d🚀", "❤️\u200d🔥", "👩🏽\u200d🚀 Mae", "Zoë", "O’Neil", "Jean-Luc", "X Æ A-12"} {
		if name == "نرگس\u200c" {
			wantCode(t, CheckName(name), CodeBadName) // a joiner at the end joins nothing
			continue
		}
		if err := CheckName(name); err != nil {
			t.Errorf("%q (%+q): %v", name, name, err)
		}
	}
	for _, name := range []string{"", "a\u200db", "a\u200cb", "\u200d", "م\u200c", "\u200cم", "🙂\u200d", "\u200d🙂", "🙂\u200da", "1\u200d🙂", "क\u200dष", "\ufffd", "a\ufffdb",
		"\ud7ff\x00", "a\u2800b", "Ada\ufffc", "Ada\U0001d159", "\U00013441", "a\U00016fe4", "Ada\ufe0e", "Ada\u115f", "Ada\u3164", "Ada\U000e0041", "Ada\u034f", "a\u00adb", "a\u202eb", "\u0301a", strings.Repeat("\ufdfa", 5), strings.Repeat("é", 33)} {
		wantCode(t, CheckName(name), CodeBadName)
		if name != "" {
			wantCode(t, CheckRoom(name), CodeBadRoom)
		}
	}
}

// Names of the house, however they are written, are no guest's.
func TestReservedNames(t *testing.T) {
	h := New(Options{ReservedNames: []string{"Ops Team", "Bürgermeister"}})
	defer h.Close()
	for _, name := range []string{"Server", "SERVER", "Ѕеrvеr", "System", "CI", "Cl", "C1", "Admin", "ꓮdmin", "ᴀdmin", "a̶dmin", "Ádmin", "★Admin★", "[Server]", "🅰dmin", "moderat0r",
		"Ops-Team", "opsteam", "Burgermeister", "ＣＩ", "Admin1", "Admin_", "_admin 42", "Admin②", "9Admin9", "@dmin", "4dmin", "Adm!n", "5erver", "$ystem", "4dmin2", "Admin-2"} {
		_, err := h.Connect(Person{Name: name}, plain)
		wantCode(t, err, CodeNameTaken)
		if err == nil || !strings.Contains(err.Error(), "kept for an account") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"Cindy", "Serverus", "Adminah", "Root Beer", "Admiral 4", "Rooty", "2026"} {
		connect(t, h, name)
	}
	for _, name := range []string{"Ada ✓", "✔️ Ada", "Ada☑️", "Ada ✅"} {
		_, err := h.Connect(Person{Name: name}, plain)
		wantCode(t, err, CodeBadName)
	}
	// An account may have it: who gives accounts out has seen to that.
	if _, err := h.Connect(Person{ID: "u1", Name: "Admin", Account: true}, plain); err != nil {
		t.Error(err)
	}
}

// A name without letters is an echo of none, and one of nothing but what hardly
// counts is like itself alone.
func TestNamesWithoutLetters(t *testing.T) {
	h := New(Options{ReservedNames: []string{"🚀", "***"}})
	defer h.Close()
	for _, name := range []string{"🙂", "!!!", "?", "---", "...", "··", "42"} {
		connect(t, h, name)
	}
	for _, name := range []string{"🚀", "***", "‐-‑"} {
		_, err := h.Connect(Person{ID: "another", Name: name}, plain)
		wantCode(t, err, CodeNameTaken)
	}
}

// Who publishes keeps its name from then on, and takes it from a guest.
func TestPublishersNameIsReserved(t *testing.T) {
	h := New(Options{})
	defer h.Close()
	guest := connect(t, h, "Jenkins")
	if err := guest.Join("builds", Cursor{}, ""); err != nil {
		t.Fatal(err)
	}
	wantNext[Joined](t, guest)
	m, err := h.Publish("builds", Person{ID: "publish", Name: "Jеnkins", Account: true}, "", "green") // with a Cyrillic е
	if err != nil || !m.From.Account {
		t.Fatal(m, err)
	}
	if r := wantNext[Renamed](t, guest); r.Was != "Jenkins" || !strings.HasPrefix(r.You.Name, "guest ") { // Jenkins-2 would be an echo
		t.Errorf("%+v", r)
	}
	_, err = h.Connect(Person{Name: "jenkins"}, plain)
	wantCode(t, err, CodeNameTaken)
	for i := range 2 * maxPublishers {
		h.reserve(fmt.Sprint("publisher ", i))
	}
	if n := len(h.house.claims); n != maxPublishers+len(HouseNames) {
		t.Errorf("%d names are kept", n)
	}
	if _, err = h.Connect(Person{Name: "jenkins"}, plain); err != nil {
		t.Errorf("after a thousand others: %v", err)
	}
}

func TestRoomsThatLookAlike(t *testing.T) {
	h := New(Options{Rooms: []string{"lobby"}})
	defer h.Close()
	ada := connect(t, h, "Ada")
	for _, room := range []string{"l\u043ebby", "Lobby", "1obby", "l0bby", "ʟᴏʙʙʏ", "lo\u0336bby", "\u217cobby"} { // nobody is in the lobby
		err := ada.Join(room, Cursor{}, "")
		wantCode(t, err, CodeBadRoom)
		if err == nil || !strings.Contains(err.Error(), `the room "lobby"`) {
			t.Errorf("%q: %v", room, err)
		}
		_, err = h.Publish(room, Person{ID: "p", Name: "p"}, "", "x")
		wantCode(t, err, CodeBadRoom)
	}
	bob := connect(t, h, "Bob")
	join := func(s *Session, room string) {
		t.Helper()
		if err := s.Join(room, Cursor{}, ""); err != nil {
			t.Errorf("%q: %v", room, err)
		}
	}
	join(ada, "lobby")
	join(ada, "сор") // Cyrillic
	wantCode(t, bob.Join("СОР", Cursor{}, ""), CodeBadRoom)
	join(bob, "cop")                                         // what is typed is not kept from anybody
	wantCode(t, bob.Join("сорu", Cursor{}, ""), CodeBadRoom) // of two alphabets
	join(ada, "team-a")
	join(ada, "teama")
	join(ada, "2026-1-11")
	join(ada, "2026-11-1")
	wantCode(t, bob.Join("tearn-a", Cursor{}, ""), CodeBadRoom)
	if err := ada.Leave("team-a", ""); err != nil {
		t.Fatal(err)
	}
	join(bob, "tearn-a") // the other is not in use any more
	if _, err := h.Delete("Lobby", Cursor{1, 1}); err != nil {
		t.Errorf("an operator deletes in any room: %v", err)
	}
}

// A room that nobody is in keeps its look-alikes out, too, if messages of it are
// kept: since before the hub was, or since it was.
func TestQuietRoomsThatLookAlike(t *testing.T) {
	store := new(Memory)
	for _, room := range []string{"cop", "Привет"} {
		if _, err := store.Append(room, []*Message{{Room: room, Time: now(), From: Person{ID: "p"}, ID: "1", Text: "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	h := New(Options{Store: store})
	defer h.Close()
	ada := connect(t, h, "Ada")
	visit := func(room string) {
		t.Helper()
		if err := ada.Join(room, Cursor{}, ""); err != nil {
			t.Errorf("%q: %v", room, err)
			return
		}
		if err := ada.Leave(room, ""); err != nil {
			t.Error(err)
		}
	}
	for _, like := range []string{"сор", "ⅽop", "СОР", "привет", "ПРИВЕТ"} {
		wantCode(t, ada.Join(like, Cursor{}, ""), CodeBadRoom)
		_, err := h.Publish(like, Person{ID: "p", Name: "P"}, "", "x")
		wantCode(t, err, CodeBadRoom)
	}
	for _, room := range []string{"cop", "COP", "c0p", "Привет", "Пока"} { // what is typed is kept from nobody
		visit(room)
	}
	visit("сосна") // nothing is said in it, so it is forgotten
	visit("СОСНА")
	if _, err := h.Publish("осень", Person{ID: "p", Name: "P"}, "", "x"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, ada.Join("ОСЕНЬ", Cursor{}, ""), CodeBadRoom)
	visit("осень")
	for i := range 2 * maxQuiet {
		h.quiet.add(fmt.Sprint("room ", i), lookalike.Of(fmt.Sprint("room ", i), false))
	}
	if n := len(h.quiet.keys); n != maxQuiet || len(h.quiet.oldest) != maxQuiet || h.quiet.names.Len() > 8*maxQuiet {
		t.Errorf("%d rooms are remembered, %d, %d", n, len(h.quiet.oldest), h.quiet.names.Len())
	}
	visit("СОР") // long forgotten
}
