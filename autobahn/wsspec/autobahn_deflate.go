package wsspec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// deflateCases are the Autobahn testsuite's groups 12 and 13: messages of one length
// after the other, compressed, each sent when the last one's echo has come.
func deflateCases() []*Case {
	var all []*Case
	for i, c := range corpora {
		for j, v := range deflateVariants {
			all = append(all, deflateCase(fmt.Sprintf("12.%d.%d", i+1, j+1), c, v, &deflateAgreements[0]))
		}
	}
	for i := range deflateAgreements {
		for j, v := range deflateVariants {
			all = append(all, deflateCase(fmt.Sprintf("13.%d.%d", i+1, j+1), corpora[0], v, &deflateAgreements[i]))
		}
	}
	return all
}

// A deflateVariant is the length of the messages in bytes, and of the fragments that
// their compressed form is cut into; 0: it is not cut.
type deflateVariant struct{ length, fragment int }

var deflateVariants = []deflateVariant{
	{16, 0}, {64, 0}, {256, 0}, {1 << 10, 0}, {4 << 10, 0},
	{8 << 10, 0}, {16 << 10, 0}, {32 << 10, 0}, {64 << 10, 0}, {128 << 10, 0},
	{8 << 10, 256}, {16 << 10, 256}, {32 << 10, 256}, {64 << 10, 256}, {128 << 10, 256},
	{128 << 10, 1 << 10}, {128 << 10, 4 << 10}, {128 << 10, 32 << 10},
}

// A deflateAgreement is what the suite wants to agree on with the testee.
type deflateAgreement struct {
	offers []deflateParams // to a server

	// demands are what the suite asks of a client, the first that its offer allows:
	// no context, and a window; 0 is none.
	demands []deflateDemand
}

type deflateDemand struct {
	noContext bool
	bits      int
}

// wish makes the offers and demands of a group: the same is asked of either role.
func wish(all ...deflateDemand) deflateAgreement {
	a := deflateAgreement{demands: all}
	for _, w := range all {
		a.offers = append(a.offers, deflateParams{clientNoContext: true, clientBitsAny: true, serverNoContext: w.noContext, serverBits: w.bits})
	}
	return a
}

var deflateAgreements = []deflateAgreement{
	wish(deflateDemand{}),
	wish(deflateDemand{noContext: true}),
	wish(deflateDemand{bits: 9}),
	wish(deflateDemand{bits: 15}),
	wish(deflateDemand{true, 9}),
	wish(deflateDemand{true, 15}),
	wish(deflateDemand{true, 9}, deflateDemand{noContext: true}, deflateDemand{}),
}

func deflateCase(id string, c *corpus, v deflateVariant, a *deflateAgreement) *Case {
	cut := ""
	if v.fragment > 0 {
		cut = fmt.Sprintf(", in fragments of %d", v.fragment)
	}
	return &Case{
		ID: id, Chapter: "autobahn", Section: "7692 §7", Level: Must, Roles: Both,
		Tags:  []string{"compression"},
		Title: fmt.Sprintf("Compressed messages of %d bytes of %s%s; %s", v.length, c.name, cut, a.offer()),
		Play:  func(d *Dialogue) Verdict { return playDeflate(d, c, v, a) },
	}
}

func (a *deflateAgreement) offer() string {
	var s []string
	for _, o := range a.offers {
		s = append(s, o.String())
	}
	return strings.Join(s, ", ")
}

// vAbsent is the Autobahn testsuite's word for what a testee does not have.
const vAbsent = "UNIMPLEMENTED"

const extensionsField = "Sec-WebSocket-Extensions"

func playDeflate(d *Dialogue, c *corpus, v deflateVariant, a *deflateAgreement) Verdict {
	expected := fmt.Sprintf("%d echoes of %d bytes each, then a clean end with 1000", d.Count, v.length)
	agreed, on, err := a.agree(d)
	if err != nil {
		return autobahnVerdict(vFailed, vFailed, expected, "the handshake failed: "+err.Error())
	}
	u := upshot{vAbsent, "permessage-deflate is not agreed on", byClose, 1000}
	if on {
		u = newEchoing(d, agreed, c, v).play(d.Count)
	}
	end, why := endWith(d, u)
	return autobahnVerdict(u.behavior, end, expected, u.actual+"; "+why)
}

// agree does the opening handshake, as leniently as the Autobahn testsuite. on is
// whether there is compression.
func (a *deflateAgreement) agree(d *Dialogue) (p deflateParams, on bool, err error) {
	if d.Testee == Client {
		return a.accept(d)
	}
	if err := d.Open(extensionsField + ": " + a.offer()); err != nil {
		return p, false, err
	}
	answers, err := oneField(d.Answer)
	if err == nil {
		err = answerFault(d.Answer.without(extensionsField), d.Request.Get("Sec-WebSocket-Key"))
	}
	if err != nil {
		return p, false, err
	}
	for _, e := range answers {
		if !strings.EqualFold(e.name, deflateName) || on {
			return p, false, fmt.Errorf("the answer has %q", e)
		}
		if p, err = readLeniently(e, true); err != nil {
			return p, false, err
		}
		on = true
	}
	return p, on, nil
}

// accept answers a client.
func (a *deflateAgreement) accept(d *Dialogue) (p deflateParams, on bool, err error) {
	defer func() {
		if err != nil {
			d.Write(Lines([]string{"HTTP/1.1 400 Bad Request", "Connection: close", "Content-Length: 0"}))
		}
	}()
	if err := requestFault(d.Request); err != nil {
		return p, false, err
	}
	asked, err := oneField(d.Request)
	if err != nil {
		return p, false, err
	}
	var offers []deflateParams
	for _, e := range asked {
		if !strings.EqualFold(e.name, deflateName) {
			continue
		}
		o, err := readLeniently(e, false)
		if err != nil {
			return p, false, err
		}
		offers = append(offers, o)
	}
	for _, want := range a.demands {
		for _, o := range offers {
			if want.bits != 0 && !o.clientBitsAny && o.clientBits == 0 {
				continue
			}
			// The rest of the offer is done as it asks.
			p = deflateParams{serverNoContext: o.serverNoContext, serverBits: o.serverBits, clientNoContext: want.noContext, clientBits: want.bits}
			return p, true, d.Open(extensionsField + ": " + p.String())
		}
	}
	return p, false, d.Open()
}

// oneField reads the extensions of a head, which may have one field of them.
func oneField(h Head) ([]extension, error) {
	fields := h.Values(extensionsField)
	if len(fields) > 1 {
		return nil, fmt.Errorf("%d fields %s", len(fields), extensionsField)
	}
	return parseExtensions(fields)
}

// without is the head without the fields of that name.
func (h Head) without(name string) Head {
	h.Lines = slices.DeleteFunc(slices.Clone(h.Lines), func(f Field) bool { return strings.EqualFold(f.Name, name) })
	return h
}

// readLeniently is readDeflate as the Autobahn testsuite does it: a number may have a
// sign and leading zeros.
func readLeniently(e extension, answer bool) (deflateParams, error) {
	e.params = append([]param(nil), e.params...)
	for i, q := range e.params {
		if n, err := strconv.Atoi(q.value); err == nil {
			e.params[i].value = strconv.Itoa(n)
		}
	}
	return readDeflate(e, answer)
}

// autobahnVerdict is the verdict of a case that has Autobahn's two.
func autobahnVerdict(behavior, end, expected, actual string) Verdict {
	v := Verdict{Outcome: Failed, Expected: expected, Actual: actual, Behavior: behavior, BehaviorClose: end}
	switch {
	case end != vOK:
	case behavior == vOK:
		v.Outcome = Passed
	case behavior == vAbsent:
		v.Outcome = Skipped
	}
	return v
}

// endWith ends the dialogue and sees how the testee does: Autobahn's verdict of it,
// where the close code must be 1000 or none, and the end clean.
func endWith(d *Dialogue, u upshot) (verdict, why string) {
	switch u.farewell {
	case byClose:
		d.Send(CloseFrame(u.code, ""))
	case byDrop:
		return vUnclean, "the suite failed the connection"
	case byTestee:
		return vFailed, "the testee ended the connection, or sent what cannot be read"
	}
	for {
		e := d.Next()
		switch {
		case e.Err != nil:
			return vUnclean, "there was no answer to the Close frame: " + e.Err.Error()
		case len(e.Faults) > 0:
			return vUnclean, e.Faults[0]
		case e.Frame.Opcode != OpClose:
			continue
		}
		switch got := e.Frame.CloseCode(); {
		case len(e.Frame.Payload) == 1 || len(e.Frame.Payload) > 1 && !knownCode(got):
			return vUnclean, fmt.Sprintf("a Close frame with the payload %x", e.Frame.Payload)
		case len(e.Frame.Payload) > 1 && got != 1000:
			return vCode, fmt.Sprintf("a Close frame with %d", got)
		}
		if d.Testee == Client {
			return vOK, "a clean end" // the server, here the suite, ends the connection (§7.1.1)
		}
		if e = d.waitEnd(); e.Err != nil {
			return vUnclean, "the server did not end the connection: " + e.Err.Error()
		}
		return vOK, "a clean end"
	}
}

// waitEnd waits for the end of the connection, whatever comes before it. Its error is
// nil when it has come.
func (d *Dialogue) waitEnd() Event {
	for {
		e := d.Next()
		switch {
		case e.Err == nil:
		case gone(e.Err):
			return Event{}
		default:
			return e
		}
	}
}
