package boltstore

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"framewright/chat"
)

func TestRecord(t *testing.T) {
	for _, want := range []record{
		{},
		{order: 1<<64 - 1, deleted: true},
		{order: 8, deleted: true, message: chat.Message{From: chat.Person{ID: "a", Name: "b", Account: true}, Text: "x"}},
		{order: 7, message: chat.Message{Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), From: chat.Person{ID: "a", Name: "Ä"}, ID: "1", Text: "x\x00y"}},
	} {
		if want.message.Time.IsZero() {
			want.message.Time = time.Unix(0, 0).UTC()
		}
		b := want.append(nil)
		got, err := parseRecord(b)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(record{})); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		for i := range b {
			if _, err := parseRecord(b[:i]); err == nil {
				t.Errorf("cut at %d: accepted", i)
			}
			b[i] ^= 1
			if _, err := parseRecord(b); err == nil {
				t.Errorf("changed at %d: accepted", i)
			}
			b[i] ^= 1
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	r := record{order: 7, message: chat.Message{Time: time.Unix(1, 0), From: chat.Person{ID: "a", Name: "b"}, ID: "1", Text: "x"}}
	f.Add(r.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil {
			return
		}
		if again, err := parseRecord(r.append(nil)); err != nil || cmp.Diff(r, again, cmp.AllowUnexported(record{})) != "" {
			t.Errorf("%x: %v does not survive", b, r)
		}
	})
}
