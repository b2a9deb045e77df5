package lookalike

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestTable(t *testing.T) {
	if unicodeVersion != unicode.Version {
		t.Errorf("the table is of Unicode %s, the standard library's are of %s: go generate", unicodeVersion, unicode.Version)
	}
	if !slices.IsSorted(sources[:]) || len(starts) != len(sources) || len(sizes) != len(sources) || len(sources) < 6000 {
		t.Fatal("the table is broken")
	}
	for i := range sources {
		to := prototypes[starts[i] : int(starts[i])+int(sizes[i])]
		if to == "" || strings.ContainsRune(to, unicode.ReplacementChar) {
			t.Errorf("%U looks like %q", sources[i], to)
		}
		// The data is not closed: 13 prototypes have a letter that is one only
		// after the second NFD.
		if s := Skeleton(Skeleton(string(sources[i]))); Skeleton(s) != s {
			t.Errorf("%U: the skeleton %+q is not its own", sources[i], s)
		}
	}
}

// From confusables.txt itself.
func TestSkeleton(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "lobby": "lobby", "l\u043ebby": "lobby", "I1l|": "llll", "m": "rn", "\ua4eedmin": "Adrnin", "\u0432": "\u0299", "\u0111": "d\u0335",
		"a\u200bb\u00ad\ufe0f": "ab", "\u00e9": "e\u0301", "\u05d5": "l", "\U0001d41a": "a", "\u2014": "\u30fc", "\u0903": ":",
	} {
		if got := Skeleton(s); got != want {
			t.Errorf("%+q: %+q, want %+q", s, got, want)
		}
	}
}

func TestIgnorable(t *testing.T) {
	for r, want := range map[rune]bool{'a': false, ' ': false, 0xAD: true, 0x34F: true, 0x61C: true, 0x115F: true, 0x17B4: true, 0x180B: true, 0x180E: true,
		0x200B: true, 0x200F: true, 0x2028: false, 0x202E: true, 0x2065: true, 0x3164: true, 0xFE0F: true, 0xFEFF: true, 0xFFA0: true, 0xFFF8: true, 0xFFF9: false,
		0x600: false, 0x6DD: false, 0x13430: false, 0x1BCA0: true, 0x1D173: true, 0xE0001: true, 0xE0100: true, 0xE01F0: true, 0x2800: false} {
		if got := Ignorable(r); got != want {
			t.Errorf("%U: %v", r, got)
		}
	}
}

func TestAlike(t *testing.T) {
	for _, tt := range []struct {
		name  string
		likes []string
	}{
		{"Admin", []string{"admin", "ADMIN", "ꓮdmin", "ꓮꓓmin", "ᴀdmin", "ᴀᴅᴍɪɴ", "ADMɪN", "a̶dmin", "a̶d̶m̶i̶n̶", "a̲dmin", "ạ̸dmin"[:0] + "a̸dmin", "a⃝dmin", "a⃞dmin", "аdmin", "Аdmіn", "ΑDMΙN",
			"adrnin", "Adrnin", "Admln", "AdmIn", "ADMlN", "Adm1n", "4dmin"[:0] + "Adm|n", "ａｄｍｉｎ", "𝐀𝐝𝐦𝐢𝐧", "𝓐𝓭𝓶𝓲𝓷", "Ⓐⓓⓜⓘⓝ", "🅐🅓🅜🅘🅝", "🅰🅳🅼🅸🅽", "🄰🄳🄼🄸🄽",
			"🇦🇩🇲🇮🇳", "ad min", "ad-min", "ad\u200bmin", "admin\ufe0f", "аԁⅿіո", "ᎪᎠᎷΙΝ", "đmin"[:0] + "ađmin", "ADMΙN", "ΑdΜin", "admın", "аᴅмιп"[:0] + "admi\u0578"}},
		{"lobby", []string{"lоbby", "Iobby", "1obby", "l0bby", "lobbу", "Lobby", "LOBBY", "ӏobby", "ⅼobby", "ʟᴏʙʙʏ", "lob\u00adby", "l\u043e\u042c\u042c\u0443", "lóbby"[:0] + "lo̶bby"}},
		{"Moderator", []string{"M0derat0r", "m0derator", "Μoderator", "Мoderator", "ᴍᴏᴅᴇʀᴀᴛᴏʀ", "rnoderator", "MODERAT0R"}},
		{"Administrator", []string{"Adm1n1strat0r", "Admlnlstrator", "AdmIniStRator"}},
		{"CI", []string{"Cl", "C1", "ci", "cl", "СІ", "ⅭⅠ", "c|"}},
		{"Server", []string{"Ѕеrvеr", "SERVER", "ꜱerver", "5erver"[:0] + "Serνer", "𝕊𝕖𝕣𝕧𝕖𝕣"}},
		{"PayPal", []string{"PayPaI", "Paypa1", "раураl"}},
		{"Łukasz", []string{"Lukasz", "łukasz"}},
		{"wow", []string{"vvow", "vvovv", "ԝoԝ"}},
		{"ΑΘΗΝΑ", []string{"αθηνα"}},
		{"Σίσυφος", []string{"ΣΊΣΥΦΟΣ"}},
		{"Straße", []string{"STRASSE"}},
		{"Ada", []string{"A.d.a", "Аda", "Adа"}},
		{"क्ष", []string{"क्\u200dष"}},
		{"محمد", []string{"مُحَمَّد"}},
	} {
		for _, like := range tt.likes {
			if like != "" && (!Of(tt.name, true).Alike(Of(like, true)) || !Of(like, true).Alike(Of(tt.name, true))) {
				t.Errorf("%q (%+q) is taken for another than %q", like, like, tt.name)
			}
		}
	}
	different := []string{"Ada", "Adam", "Ade", "Anna", "Ana", "Åda", "Ali", "Ail", "Lia", "Bob", "Rob", "Zoe", "Zoë", "Eve", "Ève", "Jürgen", "Jurgen", "Mona", "Nona", "Tim", "Tom",
		"Dora", "Cora", "Max", "Maxx", "user2", "user3", "李", "木", "李明", "王伟", "王玮", "Иван", "Яна", "Анна", "Инна", "Γιώργος", "Νίκος", "Ελένη", "محمد", "محمود", "أحمد", "דוד", "דוב",
		"राम", "श्याम", "สมชาย", "สมหญิง", "佐藤", "さくら", "サクラ", "김민준", "김민지", "🙂", "🙃", "👩‍🚀", "👨‍🚀", "Nguyễn", "Nguyên", "Ọlá", "Ola", "Françoise", "Franz"}
	for i, a := range different {
		for _, b := range different[:i] {
			if Of(a, true).Alike(Of(b, true)) {
				t.Errorf("%q is taken for %q", a, b)
			}
		}
	}
	if Of("team-a", false).Alike(Of("teama", false)) || Of("2026-1-11", false).Alike(Of("2026-11-1", false)) || !Of("team–a", false).Alike(Of("team-a", false)) {
		t.Error("what is not loose: a hyphen counts, a dash looks like one")
	}
}

func TestBare(t *testing.T) {
	for _, like := range []string{"Ádmin", "Ạḍṃịṇ", "★Admin★", "Admin ✓", "[admin]", "Admin🛡️", "A·d·m·i·n", "ᴀ́dmin", "аdmіn!", "@admin", "🅰dmin"} {
		if !Bare(like).Alike(Bare("Admin")) {
			t.Errorf("%q is no echo of Admin", like)
		}
	}
	for _, other := range []string{"Adam", "Administer", "Badmin", "Admins"} {
		if Bare(other).Alike(Bare("Admin")) {
			t.Errorf("%q is an echo of Admin", other)
		}
	}
}

func TestMixed(t *testing.T) {
	for s, want := range map[string]bool{"lobby": false, "lоbby": true, "лобби": false, "Αthens": true, "Αθήνα": false, "team лобби": false, "東京tokyo": false,
		"한국abc": false, "сор": false, "ѕcope": true, "résumé": false, "ꓮdmin": true, "नमस्ते": false, "l-о": false, "": false} {
		if got := Mixed(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestIndex(t *testing.T) {
	var x Index[string]
	add := func(names ...string) {
		for _, n := range names {
			x.Add(Of(n, true), n)
		}
	}
	found := func(n string) []string { return slices.Compact(slices.Sorted(x.Alike(Of(n, true)))) }
	add("Ali", "Ail", "Admin", "AII")
	if got := found("All"); !slices.Equal(got, []string{"AII"}) && !slices.Equal(got, []string{"AII", "Ail", "Ali"}) {
		t.Error(got)
	}
	if got := found("Adm1n"); !slices.Equal(got, []string{"Admin"}) {
		t.Error(got)
	}
	for _, n := range []string{"Ali", "Ail", "Admin", "AII", "AII"} {
		x.Remove(Of(n, true), n)
	}
	if len(x.forms)+len(x.guises) != 0 || found("Admin") != nil {
		t.Errorf("%v", x)
	}
}

func FuzzOf(f *testing.F) {
	f.Add("Admin", "ꓮdmin")
	f.Add("\ufdfa", "м")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 128 || len(b) > 128 {
			return
		}
		ka, kb := Of(a, true), Of(b, true)
		if !ka.Alike(ka) || ka.Alike(kb) != kb.Alike(ka) {
			t.Fatalf("%+q %+q", a, b)
		}
		if Skeleton(a) == Skeleton(b) && a != "" && !Of(a, false).Alike(Of(b, false)) && !strings.ContainsFunc(a+b, func(r rune) bool { return r >= 0x80 }) {
			t.Fatalf("%+q and %+q have one skeleton", a, b)
		}
		Mixed(a)
		Bare(a)
	})
}

func BenchmarkOf(b *testing.B) {
	for name, s := range map[string]string{"short": "Ada", "long": strings.Repeat("Administrators ", 3)[:32], "cyrillic": strings.Repeat("мама", 8), "worst": strings.Repeat("\u0490\u0326", 32)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Of(s, true)
			}
		})
	}
}
