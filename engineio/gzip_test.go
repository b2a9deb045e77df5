package engineio

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"framewright/ws/wstest"
)

func TestTakesGzip(t *testing.T) {
	for field, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "x-gzip": true, "br, gzip": true, "br;q=1, gzip;q=0.1": true, "gzip ; q=0.5": true,
		"gzip;q=0": false, "gzip; q=0.000": false, "identity": false, "*": true, "*;q=0": false, "gzip;q=0, *": false, "br, *;q=0.1": true, "gzipped": false, ",": false,
	} {
		if got := takesGzip([]string{field}); got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
	if !takesGzip([]string{"br", "gzip"}) || takesGzip(nil) {
		t.Error("two fields, or none")
	}
}

// Answers by polling are compressed if they are long, the client takes it, it helps, and
// somebody is free to do it.
func TestAnswersAreZipped(t *testing.T) {
	wstest.CheckLeaks(t)
	long := strings.Repeat("the same again ", 200)
	noise := make([]byte, 3000)
	rand.Read(noise)
	random := base64.StdEncoding.EncodeToString(noise)
	for name, tt := range map[string]struct {
		over           int
		message        string
		accept         string
		busy           bool
		zipped, varies bool
	}{
		"long":              {0, long, "gzip, deflate, br", false, true, true},
		"as long as may be": {len(long) + 1, long, "gzip", false, false, false},
		"a byte longer":     {len(long), long, "gzip", false, true, true},
		"short":             {0, "short", "gzip", false, false, false},
		"not asked for":     {0, long, "", false, false, true},
		"refused":           {0, long, "gzip;q=0", false, false, true},
		"off":               {-1, long, "gzip", false, false, false},
		"nobody is free":    {0, long, "gzip", true, false, true},
		"noise, in base64":  {0, random, "gzip", false, true, true},
		"what gets longer":  {1, "short", "gzip", false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := NewServer(func(ctx context.Context, s *Socket) error {
				s.Send(Text(tt.message))
				<-ctx.Done()
				return nil
			}, &Options{CompressOver: tt.over})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			hs := httptest.NewServer(server)
			defer hs.Close()
			if tt.busy {
				for range cap(zippers) {
					z := <-zippers
					defer func() { zippers <- z }()
				}
			}
			get := func(query string) (*http.Response, string) {
				req, _ := http.NewRequest("GET", hs.URL+"/engine.io/?EIO=4&transport=polling"+query, nil)
				req.Header.Set("Accept-Encoding", tt.accept)
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				var body io.Reader = resp.Body
				if resp.Header.Get("Content-Encoding") == "gzip" {
					if body, err = gzip.NewReader(resp.Body); err != nil {
						t.Fatal(err)
					}
				}
				b, err := io.ReadAll(body)
				if err != nil {
					t.Fatal(err)
				}
				return resp, string(b)
			}
			_, open := get("")
			opened, _, _ := strings.Cut(open, "\x1e")
			var o struct{ SID string }
			if err := json.Unmarshal([]byte(opened[1:]), &o); err != nil {
				t.Fatal(err)
			}
			resp, body := get("&sid=" + o.SID)
			if body != "4"+tt.message {
				t.Errorf("it is %.80q", body)
			}
			if zipped := resp.Header.Get("Content-Encoding") == "gzip"; zipped != tt.zipped || zipped && resp.ContentLength >= int64(len(body)) {
				t.Errorf("zipped: %v, %d bytes of %d", zipped, resp.ContentLength, len(body))
			}
			if varies := slices.Contains(resp.Header["Vary"], "Accept-Encoding"); varies != tt.varies {
				t.Errorf("varies: %v", varies)
			}
		})
	}
}
