package wsnet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"framewright/ws"
	"framewright/ws/wsnet"
	"framewright/ws/wstest"
)

type jsonNote struct {
	From string
	Text string `json:",omitempty"`
}

func ExampleReadJSON() {
	a, b := wstest.Pipe()
	server, client := wsnet.NewConn(a, ws.RoleServer, nil), wsnet.NewConn(b, ws.RoleClient, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	type note struct {
		From string
		At   int
	}
	go func() {
		if err := wsnet.WriteJSON(ctx, client, note{"Ada", 1843}); err != nil {
			log.Print(err)
		}
		client.Write(ctx, ws.OpText, []byte(`{"From": "Ada", "At": "noon"}`))
		client.Close(ctx, ws.CodeGoingAway, "")
	}()
	for {
		var n note
		err := wsnet.ReadJSON(ctx, server, &n)
		if code := ws.CloseStatus(err); code != 0 {
			fmt.Println("the end:", code)
			return
		}
		fmt.Println(n, err)
	}
	// Output:
	// {Ada 1843} <nil>
	// {Ada 0} ws: read JSON: json: cannot unmarshal string into Go struct field note.At of type int
	// the end: 1001 (going away)
}

func TestReadJSON(t *testing.T) {
	for _, tt := range []struct {
		name string
		op   ws.Opcode
		send string
		want string // of the error; "": none
	}{
		{"a value", ws.OpText, `{"From":"Ada","Text":"Hello"}`, ""},
		{"white space around", ws.OpText, " \t\r\n{\"From\":\"Ada\",\"Text\":\"Hello\"}\n", ""},
		{"fields that nobody knows", ws.OpText, `{"From":"Ada","Text":"Hello","x":[1,{}]}`, ""},
		{"a binary message", ws.OpBinary, `{"From":"Ada"}`, "ws: read JSON: a binary message, expected JSON in a text message"},
		{"nothing", ws.OpText, "", "ws: read JSON: unexpected end of JSON input"},
		{"white space", ws.OpText, " \n", "ws: read JSON: unexpected end of JSON input"},
		{"half a value", ws.OpText, `{"From":`, "ws: read JSON: unexpected end of JSON input"},
		{"two values", ws.OpText, `{"From":"Ada"}{"From":"Eve"}`, "ws: read JSON: invalid character '{' after top-level value"},
		{"two values on two lines", ws.OpText, "{}\n{}", "ws: read JSON: invalid character '{' after top-level value"},
		{"a NUL behind", ws.OpText, "{}\x00", `ws: read JSON: invalid character '\x00' after top-level value`},
		{"a byte order mark", ws.OpText, "\ufeff{}", "ws: read JSON: invalid character 'ï' looking for beginning of value"},
		{"another type", ws.OpText, `[1]`, "ws: read JSON: json: cannot unmarshal array into Go value of type wsnet_test.jsonNote"},
		{"no JSON", ws.OpText, `{From: "Ada"}`, "ws: read JSON: invalid character 'F' looking for beginning of object key string"},
		{"deeper than anybody needs", ws.OpText, strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "ws: read JSON: invalid character '[' exceeded max depth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := ctPair(t, ctQuiet(), ctQuiet())
				good := jsonNote{"Ada", "Hello"}
				go func() {
					c.Write(t.Context(), tt.op, []byte(tt.send))
					wsnet.WriteJSON(t.Context(), c, good)
				}()
				var got jsonNote
				err := wsnet.ReadJSON(t.Context(), s, &got)
				if tt.want == "" && (err != nil || got != good) {
					t.Errorf("got %+v, %v", got, err)
				}
				if tt.want != "" && (err == nil || err.Error() != tt.want || ws.CloseStatus(err) != 0) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				if errors.Is(err, wsnet.ErrBinary) != (tt.op == ws.OpBinary) {
					t.Errorf("%v is ErrBinary, or is not", err)
				}
				got = jsonNote{} // the connection goes on
				if err := wsnet.ReadJSON(t.Context(), s, &got); err != nil || got != good {
					t.Errorf("the next one: %+v, %v", got, err)
				}
			})
		})
	}
}

// The limits are those of the connection, and its end is an error like any other's.
func TestReadJSONEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := ctPair(t, &wsnet.Options{MaxMessage: 100, PingInterval: -1}, ctQuiet())
		go wsnet.WriteJSON(t.Context(), c, strings.Repeat("x", 99)) // and two quotes
		var got string
		if err := wsnet.ReadJSON(t.Context(), s, &got); ws.CloseStatus(err) != ws.CodeTooBig || got != "" {
			t.Errorf("got %q, %v", got, err)
		}
		if err := wsnet.WriteJSON(t.Context(), s, 1); ws.CloseStatus(err) != ws.CodeTooBig {
			t.Errorf("WriteJSON: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, _ := ctPair(t, ctQuiet(), ctQuiet())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var got any
		if err := wsnet.ReadJSON(ctx, s, &got); !errors.Is(err, context.DeadlineExceeded) || ws.CloseStatus(err) != 0 || s.Err() != nil {
			t.Errorf("got %v, and the connection %v", err, s.Err())
		}
	})
}

// What cannot be encoded is not sent, nor a part of it.
func TestWriteJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := ctConn(t, ws.RoleServer, ctQuiet())
		for _, v := range []any{math.NaN(), func() {}, make(chan int), map[string]any{"a": []any{1, math.Inf(1)}}, json.RawMessage("{")} {
			if err := wsnet.WriteJSON(t.Context(), c, v); err == nil || !strings.HasPrefix(err.Error(), "ws: write JSON: json: ") {
				t.Errorf("%T: %v", v, err)
			}
		}
		p.WantIdle("nothing was sent")
		if err := wsnet.WriteJSON(t.Context(), c, json.RawMessage("\"\xff\"")); !errors.Is(err, ws.ErrNotUTF8) {
			t.Errorf("bytes that are no UTF-8: %v", err)
		}
		if err := wsnet.WriteJSON(t.Context(), c, jsonNote{From: "Ada"}); err != nil {
			t.Error(err)
		}
		p.WantFrame("a value", wstest.Text(`{"From":"Ada"}`))
	})
}
