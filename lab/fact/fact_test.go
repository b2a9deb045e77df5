package fact

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"framewright/ws"
	"framewright/ws/wstest"
)

// Every value of a frame, a handshake and a breach, as a page gets them.
func TestOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    ws.TraceEvent
		want string
	}{
		{"a masked text", ws.TraceEvent{
			Conn: 7, Role: ws.RoleServer, Offset: 12, Wire: wstest.MustHex("81 82 37fa213d"), Payload: []byte("Hi"),
			Header: ws.Header{Fin: true, Opcode: ws.OpText, Masked: true, Key: wstest.Key, Length: 2},
		}, `{"seq":0,"ms":0,"kind":"frame","conn":7,"role":"server","sent":false,"title":"server receives text at offset 12, ready -\u003e ready",` +
			`"offset":12,"wire":"818237fa213d","payload":"4869","length":2,"opcode":1,"fin":true,"masked":true,"key":"37fa213d","before":"ready","after":"ready","rows":[` +
			`{"kind":"bits","at":0,"len":1,"bit":0,"width":1,"field":"FIN","value":"1","bytes":"81","meaning":"a whole message","section":"§5.4"},` +
			`{"kind":"bits","at":0,"len":1,"bit":1,"width":3,"field":"RSV1-3","value":"0","bytes":"81","meaning":"reserved for extensions","section":"§5.2"},` +
			`{"kind":"bits","at":0,"len":1,"bit":4,"width":4,"field":"opcode","value":"1","bytes":"81","meaning":"text","section":"§5.6"},` +
			`{"kind":"bits","at":1,"len":1,"bit":0,"width":1,"field":"MASK","value":"1","bytes":"82","meaning":"a masking key follows","section":"§5.1"},` +
			`{"kind":"bits","at":1,"len":1,"bit":1,"width":7,"field":"length","value":"2","bytes":"82","meaning":"bytes of payload","section":"§5.2"},` +
			`{"kind":"number","at":2,"len":4,"bit":0,"width":32,"field":"masking key","bytes":"37fa213d","meaning":"masking key","section":"§5.3"},` +
			`{"kind":"masked","at":6,"len":2,"bit":0,"width":16,"field":"payload","bytes":"7f93","meaning":"payload, masked","section":"§5.3"},` +
			`{"kind":"text","at":6,"len":2,"bit":0,"width":16,"field":"payload","bytes":"4869"}]}`},
		{"a request", ws.TraceEvent{Conn: 7, Handshake: "GET / HTTP/1.1\r\n\r\n"},
			`{"seq":0,"ms":0,"kind":"handshake","conn":7,"role":"server","sent":false,"title":"the opening handshake: a GET request","head":"GET / HTTP/1.1\r\n\r\n","lines":[{"text":"GET / HTTP/1.1","meaning":"an HTTP request for this resource","section":"§4.1"},{"text":""}],"offset":0,"length":0,"opcode":0,"fin":false,"masked":false}`},
		{"a breach", ws.TraceEvent{Conn: 7, Rule: ws.RulePingRate, Detail: "too many"},
			`{"seq":0,"ms":0,"kind":"breach","conn":7,"role":"server","sent":false,"title":"no frame","offset":0,"length":0,"opcode":0,"fin":false,"masked":false,"before":"ready",` +
				`"rule":{"id":"10.4-ping-rate","text":"pings stay within a rate","section":"§10.4","cost":"close with 1008 (policy violation)","detail":"too many"}}`},
	} {
		b, err := json.Marshal(Of(tt.e))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, string(b)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}
