package ws

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Code is a status code of the closing handshake (RFC 6455 §7.4).
type Code uint16

// The codes of the IANA registry that §11.7 set up. Those from 3000 to 3999
// are for libraries and frameworks, those from 4000 to 4999 for private use
// (§7.4.2).
const (
	CodeNormal             Code = 1000 // the purpose of the connection is fulfilled
	CodeGoingAway          Code = 1001 // a server goes down, a browser leaves the page
	CodeProtocolError      Code = 1002 // a frame or its place breaks the protocol
	CodeUnsupportedData    Code = 1003 // a type of data that the endpoint does not take
	CodeNoStatus           Code = 1005 // never sent: the Close frame had no code
	CodeAbnormal           Code = 1006 // never sent: the connection ended without a Close frame
	CodeInvalidPayload     Code = 1007 // data that its type forbids, such as text that is not UTF-8
	CodePolicyViolation    Code = 1008 // anything else that an endpoint does not want
	CodeTooBig             Code = 1009 // a message too big to process
	CodeMandatoryExtension Code = 1010 // a client missed an extension in the server's answer
	CodeInternalError      Code = 1011 // a server met an unexpected condition
	CodeServiceRestart     Code = 1012 // the service restarts: come back in a while
	CodeTryAgainLater      Code = 1013 // overload: go elsewhere or come back later
	CodeBadGateway         Code = 1014 // a gateway got an invalid answer upstream
	CodeTLSHandshake       Code = 1015 // never sent: the TLS handshake failed
)

// MaxCloseReason is the longest reason of a Close frame in bytes: what the
// two bytes of the code leave of a control frame's payload (§5.5).
const MaxCloseReason = MaxControlPayload - 2

// String returns the number and, for a registered code, its name.
func (c Code) String() string {
	s := strconv.Itoa(int(c))
	if name := codeNames[c]; name != "" {
		s += " (" + name + ")"
	}
	return s
}

var codeNames = map[Code]string{
	CodeNormal:             "normal closure",
	CodeGoingAway:          "going away",
	CodeProtocolError:      "protocol error",
	CodeUnsupportedData:    "unsupported data",
	CodeNoStatus:           "no status received",
	CodeAbnormal:           "abnormal closure",
	CodeInvalidPayload:     "invalid frame payload data",
	CodePolicyViolation:    "policy violation",
	CodeTooBig:             "message too big",
	CodeMandatoryExtension: "mandatory extension",
	CodeInternalError:      "internal error",
	CodeServiceRestart:     "service restart",
	CodeTryAgainLater:      "try again later",
	CodeBadGateway:         "bad gateway",
	CodeTLSHandshake:       "TLS handshake",
}

// MaySend reports whether c may stand in a Close frame: a registered code
// other than 1004, 1005, 1006 and 1015, or one from 3000 to 4999 (§7.4.1,
// §7.4.2; 1012 to 1014 were registered after the RFC).
func (c Code) MaySend() bool {
	switch {
	case 1000 <= c && c <= 1003, 1007 <= c && c <= 1014:
		return true
	case 3000 <= c && c <= 4999:
		return true
	}
	return false
}

// ParseClose reads the payload of a Close frame (§5.5.1):
//
//	+-------------------------------+-------------------- - - -
//	|  status code (16)             |  reason, UTF-8
//	+-------------------------------+-------------------- - - -
//
// An empty payload is CodeNoStatus. A payload of one byte, a code that must
// not be sent, and a reason that is not UTF-8 give a *ProtocolError.
func ParseClose(payload []byte) (code Code, reason string, err error) {
	if len(payload) == 0 {
		return CodeNoStatus, "", nil
	}
	if len(payload) == 1 {
		return 0, "", RuleCloseLength.Violation("close payload of one byte")
	}
	code = Code(binary.BigEndian.Uint16(payload))
	if !code.MaySend() {
		return code, "", RuleCloseCode.Violation("close code " + strconv.Itoa(int(code)) + " must not be sent")
	}
	if reason := payload[2:]; !utf8.Valid(reason) {
		return code, "", notUTF8(RuleCloseUTF8, "close reason", UTF8{}, reason, 0)
	}
	return code, string(payload[2:]), nil
}

// AppendClose appends the payload of a Close frame to dst. CodeNoStatus stands
// for no payload at all; reason is then left out. The caller keeps to
// Code.MaySend and MaxCloseReason.
func AppendClose(dst []byte, code Code, reason string) []byte {
	if code == CodeNoStatus {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// FitClose returns what of code and reason a Close frame can hold, and what was wrong
// with them: CodeInternalError with ErrCloseCode for a code that must not be sent, and
// for a reason that FitReason changes ErrReasonTooLong or ErrNotUTF8.
func FitClose(code Code, reason string) (Code, string, error) {
	var mistake error
	short := FitReason(reason)
	switch {
	case !code.MaySend() && code != CodeNoStatus:
		code, mistake = CodeInternalError, ErrCloseCode
	case len(reason) > MaxCloseReason:
		mistake = ErrReasonTooLong
	case short != reason:
		mistake = ErrNotUTF8
	}
	return code, short, mistake
}

// FitReason makes a reason one that a Close frame holds: UTF-8, with U+FFFD for what is
// not, and MaxCloseReason bytes at most, cut between two code points. It does not look at
// more of a long one than it may need.
func FitReason(reason string) string {
	if n := 4 * MaxCloseReason; len(reason) > n { // repair makes three bytes of any number
		for n > 4*MaxCloseReason-utf8.UTFMax && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) <= MaxCloseReason {
		return reason
	}
	n := MaxCloseReason
	for !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}
