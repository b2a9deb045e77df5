package peers

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// spellings are, for each lesson's three exercises, ways to write the right answer, and
// answers that are wrong, some of them nearly right.
var spellings = [][3]struct{ right, wrong []string }{
	{
		{[]string{"101", " 101 ", "HTTP 101", "status 101", "101 (Switching Protocols)", "101."}, []string{"200", "1001", "10", "0x101", "-101", "101 102"}},
		{[]string{"2", "two", "Two", "2 bytes", "two bytes"}, []string{"6", "20", "2.5", "two or three"}},
		{[]string{"6", "six", "6 bytes"}, []string{"2", "4", "16"}},
	}, {
		{[]string{"16", "16 bytes"}, []string{"24", "15", "1 6 0"}},
		{[]string{"13", "version 13", "Version: 13"}, []string{"8", "1.3", "130"}},
		{[]string{"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "  s3pPLMBiTxaQ9kYGzzhZRbK+xOo= "}, []string{"S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "dGhlIHNhbXBsZSBub25jZQ=="}},
	}, {
		{[]string{"82", "0x82", "0X82", `\x82`}, []string{"81", "02", "2", "820", "130"}},
		{[]string{"817e012c", "81 7e 01 2c", "81 7E 01 2C", "0x81 0x7e 0x01 0x2c", "0x817E012C", "81:7e:01:2c", "81 | 7e | 012c"}, []string{"81fe012c", "817e2c01", "81 2c", "012c"}},
		{[]string{"125", "125 bytes"}, []string{"126", "127", "65535"}},
	}, {
		{[]string{"7f", "7F", "0x7f", "0x7F"}, []string{"7e", "48", "37", "127"}},
		{[]string{"6f", "6F", "0x6f"}, []string{"58", "37", "o"}},
		{[]string{"1002", "close 1002", "Close 1002", "code 1002", "close code 1002", "1002 (protocol error)"}, []string{"1000", "1003", "1007", "not 1002", "10020"}},
	}, {
		{[]string{"00", "0", "0x00", "0x0"}, []string{"80", "01", "000"}},
		{[]string{"125", "125 bytes"}, []string{"126", "127"}},
		{[]string{"6162", "61 62", "0x61 0x62", "0x6162"}, []string{"ab", "6261", "61", ""}},
	}, {
		{[]string{"1007", "close 1007"}, []string{"1002", "1003", "1009"}},
		{[]string{"no", "No", "NO.", "“no”"}, []string{"yes", "n", "not", ""}},
		{[]string{"3", "three", "three bytes"}, []string{"2", "4", "e2"}},
	}, {
		{[]string{"03e9", "03 e9", "03 E9", "0x03 0xE9", "0x03e9"}, []string{"3e9", "03e8", "e903", "1001"}},
		{[]string{"1006", "code 1006"}, []string{"1005", "1000", "1001"}},
		{[]string{"123", "123 bytes"}, []string{"125", "124", "126"}},
	}, {
		{[]string{"RSV1", "rsv1", "RSV 1", "the RSV1"}, []string{"RSV2", "FIN", "1", "rsv"}},
		{[]string{"0000ffff", "00 00 ff ff", "00 00 FF FF", "0x0000ffff", "0x00 0x00 0xff 0xff"}, []string{"ffff0000", "ffff", "0000"}},
		{[]string{"c2", "C2", "0xc2"}, []string{"82", "c1", "42"}},
	}, {
		{[]string{"welcome", "Welcome", `"welcome"`, "a welcome"}, []string{"hello", "joined", "ack"}},
		{[]string{"since", "'since'", "Since"}, []string{"cursor", "id", "room"}},
		{[]string{"id", "ID", "the id", "its id", `"id"`}, []string{"text", "room", "the", ""}},
	},
}

// testLessonAnswers: what is right is taken as people write it, what is wrong is not.
func testLessonAnswers(t *testing.T, s *stage) {
	for i, exercises := range spellings {
		c := s.bench(t, fmt.Sprintf("lesson-%d", i+1))
		for k, e := range exercises {
			for verdict, answers := range map[string][]string{"Right.": e.right, "Not yet.": e.wrong} {
				for _, answer := range answers {
					got := value[string](c, withValues(`(() => {
						const f = document.querySelectorAll("form.exercise")[%s];
						f.querySelector("input").value = %s;
						f.requestSubmit();
						return f.querySelector("output").textContent;
					})()`, fmt.Sprint(k), answer))
					if want := map[bool]string{true: "Write an answer first.", false: verdict}[answer == ""]; got != want {
						t.Errorf("lesson %d, exercise %d: to %q the page says %q, want %q", i+1, k+1, answer, got, want)
					}
				}
			}
		}
	}
}

// testLessonSource goes from a lesson to its code, and from there to the clause.
func testLessonSource(t *testing.T, s *stage) {
	c := s.bench(t, "lesson-3")
	c.must(chromedp.Click(chromedp.CSS("#code ~ ul a")))
	c.until("shows the function, with its lines", "document.querySelector('.code')?.textContent.includes('func (h *Header) parse(') && document.querySelectorAll('.code tr').length > 20")
	c.want("numbers them one by one", "[...document.querySelectorAll('.code tr')].every((e, i, all) => e.id === 'L' + (Number(all[0].id.slice(1)) + i) && e.querySelector('th').textContent === e.id.slice(1))", true)
	c.want("states a rule that it names", "[...document.querySelectorAll('#rules ~ ul li')].some(e => e.textContent.startsWith('5.2-minimal-length: '))", true)
	c = s.bench(t, "lesson-4")
	c.must(chromedp.Click(chromedp.CSS("#code ~ ul a")))
	c.until("shows another", "document.querySelector('.code')?.textContent.includes('func Mask(')")
	c.want("leads to the clause", "[...document.querySelectorAll('.code a.section')].find(e => e.textContent === '§10.3')?.href", "https://www.rfc-editor.org/rfc/rfc6455#section-10.3")
}
