package lab

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/lab/fact"
	"framewright/ws"
	"framewright/ws/wsnet"
)

// The facts of compressed messages say what those are made of, each direction with what
// its own earlier messages came to; the oldest connections of many do not.
func TestFactsInflate(t *testing.T) {
	_, url := labServer(t)
	lines := watching(t, url, alice, "")
	said := func(n int) (got []string) {
		for len(got) < n && lines.Scan() {
			data, _ := strings.CutPrefix(lines.Text(), "data: ")
			var f fact.Fact
			if json.Unmarshal([]byte(data), &f) != nil || !f.Compressed {
				continue
			}
			if f.Inflate == nil {
				got = append(got, "nothing")
			} else {
				got = append(got, f.Inflate.Words)
			}
		}
		return got
	}
	conns := make([]*wsnet.Conn, maxFollowed+1)
	for i := range conns {
		c, err := wsnet.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/lab/echo?lab="+alice, &wsnet.DialOptions{Options: wsnet.Options{
			Compression: &ws.Compression{SendContext: true, Threshold: -1}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.Background(), ws.CodeNormal, "")
		conns[i] = c
	}
	text := "what is said three times is true; what is true is said once; what is said by both is longer than the echo wants it for being compressed"
	talk := func(c *wsnet.Conn) {
		t.Helper()
		if err := c.Write(t.Context(), ws.OpText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	talk(conns[0])
	if d := cmp.Diff([]string{"nothing", "nothing"}, said(2)); d != "" {
		t.Errorf("the oldest connection: %s", d)
	}
	talk(conns[1])
	talk(conns[1])
	want := []string{
		"90 literals and 7 matches, which copy 45 bytes", "90 literals and 7 matches, which copy 45 bytes",
		"2 matches, which copy 135 bytes, all of them from earlier messages", // the client keeps its context
		"90 literals and 7 matches, which copy 45 bytes",                     // the server was told not to
	}
	if d := cmp.Diff(want, said(4)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
