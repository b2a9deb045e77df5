package ws

// A RuleID names one rule for good: the section of the RFC that states it and
// a few words. The same id stands in errors, traces, test names and
// expectations.
type RuleID string

// A Rule is one thing that a peer must or must not do, and what it costs.
type Rule struct {
	ID      RuleID
	Section string // "§5.4", of RFC 6455 unless another is named
	Code    Code   // the close code that the connection fails with; 0 if it was closed before
	Status  int    // the HTTP status that refuses the handshake; 0 in a client's rules
	Text    string // the rule in one sentence
}

// The rules of the opening handshake, as a server sees them.
const (
	RuleMethod        RuleID = "4.1-method"
	RuleHTTPVersion   RuleID = "4.1-http-version"
	RuleHost          RuleID = "4.1-host"
	RuleUpgrade       RuleID = "4.1-upgrade"
	RuleConnection    RuleID = "4.1-connection"
	RuleKey           RuleID = "4.1-key"
	RuleVersion       RuleID = "4.4-version"
	RuleNoBody        RuleID = "4.1-no-body"
	RuleOrigin        RuleID = "10.2-origin"
	RuleOneOrigin     RuleID = "10.2-one-origin"
	RuleOriginMissing RuleID = "10.2-origin-missing"
	RuleHostAllowed   RuleID = "10.2-host"
	RuleHeaderSize    RuleID = "10.4-header-size"
	RuleHeaderCount   RuleID = "10.4-header-count"
	RulePerAddress    RuleID = "10.4-connections-per-address"
	RuleConnections   RuleID = "10.4-connections"
	RuleExtensions    RuleID = "9.1-extensions"
)

// The rules of the opening handshake, as a client sees them.
const (
	RuleStatus              RuleID = "4.1-status"
	RuleAnswerUpgrade       RuleID = "4.1-answer-upgrade"
	RuleAnswerConnection    RuleID = "4.1-answer-connection"
	RuleAccept              RuleID = "4.1-accept"
	RuleAnswerExtensions    RuleID = "4.1-answer-extensions"
	RuleAnswerSubprotocol   RuleID = "4.1-answer-subprotocol"
	RuleAnswerOneSubproto   RuleID = "4.1-answer-one-subprotocol"
	RuleAnswerSize          RuleID = "10.4-answer-size"
	RuleAnswerNotHTTP       RuleID = "4.1-answer-http"
	RuleAnswerBodyForbidden RuleID = "4.1-answer-body"
)

// The rules of the opening handshake over HTTP/2 (RFC 8441): a client's, a server's
// answer, and the setting that comes before both.
const (
	RuleConnectSetting   RuleID = "8441.3-setting"
	RuleConnectPseudo    RuleID = "8441.4-pseudo-headers"
	RuleConnectProtocol  RuleID = "8441.5-protocol"
	RuleConnectScheme    RuleID = "8441.5-scheme"
	RuleConnectAuthority RuleID = "8441.5-authority"
	RuleConnectHeaders   RuleID = "8441.5-no-upgrade"
	RuleConnectVersion   RuleID = "8441.5-version"
	RuleConnectStream    RuleID = "8441.5-open-stream"
	RuleConnectStatus    RuleID = "8441.5-status"
	RuleConnectAnswer    RuleID = "8441.5-answer-no-upgrade"
)

// The rules of frames, messages and the closing handshake, for both ends.
const (
	RuleClientMasks    RuleID = "5.1-client-masks"
	RuleServerUnmasked RuleID = "5.1-server-does-not-mask"
	RuleRSV            RuleID = "5.2-rsv"
	RuleOpcode         RuleID = "5.2-opcode"
	RuleMinimalLength  RuleID = "5.2-minimal-length"
	RuleLengthTopBit   RuleID = "5.2-length-top-bit"
	RuleContinuation   RuleID = "5.4-continuation"
	RuleInterleaved    RuleID = "5.4-interleaved"
	RuleControlFin     RuleID = "5.5-control-not-fragmented"
	RuleControlLength  RuleID = "5.5-control-length"
	RuleAfterClose     RuleID = "5.5.1-after-close"
	RuleCloseLength    RuleID = "5.5.1-close-length"
	RuleCloseUTF8      RuleID = "5.5.1-close-reason-utf8"
	RuleCloseCode      RuleID = "7.4-close-code"
	RuleTextUTF8       RuleID = "8.1-text-utf8"
	RuleMessageSize    RuleID = "10.4-message-size"
	RuleInflateRate    RuleID = "10.4-inflate-rate"
	RuleEmptyBlocks    RuleID = "10.4-empty-blocks"
	RuleRSV1           RuleID = "7692.6-rsv1"
	RuleDeflate        RuleID = "7692.7.2.2-deflate"
	RuleFragments      RuleID = "10.4-fragments"
	RuleMessageTime    RuleID = "10.4-message-time"
	RulePingRate       RuleID = "10.4-ping-rate"
	RulePongRate       RuleID = "10.4-pong-rate"
	RuleEmptyRate      RuleID = "10.4-empty-rate"
)

// Rules is every rule that this package enforces, in the order of the RFC.
// A connection that breaks a limit of ours (§10.4) is told so the same way as
// one that breaks the RFC.
var Rules = []Rule{
	{RuleMethod, "§4.1", 0, 405, "the opening handshake is a GET request"},
	{RuleHTTPVersion, "§4.1", 0, 400, "the request is HTTP/1.1 or later"},
	{RuleHost, "§4.1", 0, 400, "the request has one Host"},
	{RuleUpgrade, "§4.1", 0, 426, "the Upgrade header lists websocket"},
	{RuleConnection, "§4.1", 0, 426, "the Connection header lists Upgrade"},
	{RuleKey, "§4.1", 0, 400, "there is one Sec-WebSocket-Key, the base64 of 16 bytes"},
	{RuleNoBody, "§4.1", 0, 400, "the request has no body: bytes behind it are frames"},
	{RuleStatus, "§4.1", 0, 0, "the server answers with status 101"},
	{RuleAnswerUpgrade, "§4.1", 0, 0, "the answer's Upgrade header is websocket"},
	{RuleAnswerConnection, "§4.1", 0, 0, "the answer's Connection header lists Upgrade"},
	{RuleAccept, "§4.1", 0, 0, "Sec-WebSocket-Accept proves that the server read the key"},
	{RuleAnswerExtensions, "§4.1", 0, 0, "the server uses no extension that was not offered"},
	{RuleAnswerSubprotocol, "§4.1", 0, 0, "the server chooses a subprotocol that was offered"},
	{RuleAnswerOneSubproto, "§4.1", 0, 0, "the server chooses one subprotocol at the most"},
	{RuleAnswerNotHTTP, "§4.1", 0, 0, "the answer is an HTTP/1.1 response"},
	{RuleAnswerBodyForbidden, "§4.1", 0, 0, "a 101 answer has no body: bytes behind it are frames"},
	{RuleVersion, "§4.4", 0, 426, "Sec-WebSocket-Version is 13"},
	{RuleClientMasks, "§5.1", CodeProtocolError, 0, "a client masks every frame"},
	{RuleServerUnmasked, "§5.1", CodeProtocolError, 0, "a server masks no frame"},
	{RuleRSV, "§5.2", CodeProtocolError, 0, "RSV1 to RSV3 are 0 unless an extension gave them a meaning"},
	{RuleOpcode, "§5.2", CodeProtocolError, 0, "opcodes 3 to 7 and B to F are reserved"},
	{RuleMinimalLength, "§5.2", CodeProtocolError, 0, "a length takes the fewest bytes that hold it"},
	{RuleLengthTopBit, "§5.2", CodeProtocolError, 0, "the top bit of a 64-bit length is 0"},
	{RuleContinuation, "§5.4", CodeProtocolError, 0, "a continuation frame continues a message"},
	{RuleInterleaved, "§5.4", CodeProtocolError, 0, "a message ends before the next one begins"},
	{RuleControlFin, "§5.5", CodeProtocolError, 0, "a control frame is not fragmented"},
	{RuleControlLength, "§5.5", CodeProtocolError, 0, "a control frame's payload is 125 bytes at the most"},
	{RuleAfterClose, "§5.5.1", 0, 0, "nothing follows a Close frame; what does is ignored"},
	{RuleCloseLength, "§5.5.1", CodeProtocolError, 0, "a Close frame's payload is empty or begins with a two-byte code"},
	{RuleCloseUTF8, "§5.5.1", CodeInvalidPayload, 0, "a close reason is UTF-8"},
	{RuleCloseCode, "§7.4", CodeProtocolError, 0, "a close code is one that may be sent"},
	{RuleTextUTF8, "§8.1", CodeInvalidPayload, 0, "a text message is UTF-8"},
	{RuleExtensions, "§9.1", 0, 400, "Sec-WebSocket-Extensions is a list of extensions with parameters"},
	{RuleOrigin, "§10.2", 0, 403, "a browser's page comes from this host or from one that is allowed"},
	{RuleOneOrigin, "§10.2", 0, 403, "there is one Origin at the most"},
	{RuleOriginMissing, "§10.2", 0, 403, "a request with cookies names its Origin, where that is asked for"},
	{RuleHostAllowed, "§10.2", 0, 403, "the Host is one that this server answers for: on a loopback address, one of this machine's own"},
	{RuleHeaderSize, "§10.4", 0, 431, "the request's headers stay within a limit in bytes"},
	{RuleHeaderCount, "§10.4", 0, 431, "the request's headers stay within a limit in number"},
	{RulePerAddress, "§10.4", 0, 429, "one address has a limited number of connections"},
	{RuleConnections, "§10.4", 0, 503, "the server has a limited number of connections, and none once it shuts down"},
	{RuleAnswerSize, "§10.4", 0, 0, "the answer's headers stay within a limit in bytes"},
	{RuleMessageSize, "§10.4", CodeTooBig, 0, "a message stays within a limit in bytes"},
	{RuleFragments, "§10.4", CodePolicyViolation, 0, "a message stays within a limit in fragments"},
	{RuleMessageTime, "§10.4", CodePolicyViolation, 0, "a message that has begun ends within a time limit"},
	{RulePingRate, "§10.4", CodePolicyViolation, 0, "pings stay within a rate"},
	{RulePongRate, "§10.4", CodePolicyViolation, 0, "pongs that no ping asked for stay within a rate"},
	{RuleEmptyRate, "§10.4", CodePolicyViolation, 0, "empty messages stay within a rate"},
	{RuleInflateRate, "§10.4", CodePolicyViolation, 0, "what compressed messages inflate to beyond 32 times their size stays within a rate"},
	{RuleEmptyBlocks, "§10.4", CodePolicyViolation, 0, "a compressed message has a limited number of blocks without content"},
	{RuleRSV1, "RFC 7692 §6", CodeProtocolError, 0, "RSV1 marks a compressed message on its first frame, and no other frame"},
	{RuleDeflate, "RFC 7692 §7.2.2", CodeInvalidPayload, 0, "a compressed message inflates, within the window that was agreed on"},
	{RuleConnectSetting, "RFC 8441 §3", 0, 0, "SETTINGS_ENABLE_CONNECT_PROTOCOL is 0 or 1, and stays 1 once it was"},
	{RuleConnectPseudo, "RFC 8441 §4", 0, 400, "a CONNECT with :protocol has :scheme, :path and :authority"},
	{RuleConnectProtocol, "RFC 8441 §5", 0, 501, "a CONNECT over HTTP/2 has the :protocol websocket"},
	{RuleConnectScheme, "RFC 8441 §5", 0, 400, ":scheme is https for wss and http for ws"},
	{RuleConnectAuthority, "RFC 8441 §5", 0, 400, "the host is in :authority, and no Host header names another"},
	{RuleConnectHeaders, "RFC 8441 §5", 0, 400, "a request over HTTP/2 has neither Connection nor Upgrade"},
	{RuleConnectVersion, "RFC 8441 §5", 0, 400, "Sec-WebSocket-Version is 13 over HTTP/2, too, where there is one"},
	{RuleConnectStream, "RFC 8441 §5", 0, 400, "the request leaves its stream open: what follows are frames"},
	{RuleConnectStatus, "RFC 8441 §5", 0, 0, "the server answers a CONNECT with status 200"},
	{RuleConnectAnswer, "RFC 8441 §5", 0, 0, "an answer over HTTP/2 has neither Connection nor Upgrade"},
}

var ruleByID = func() map[RuleID]*Rule {
	m := make(map[RuleID]*Rule, len(Rules))
	for i := range Rules {
		m[Rules[i].ID] = &Rules[i]
	}
	return m
}()

// Rule returns the entry of Rules that id names, or nil if there is none.
func (id RuleID) Rule() *Rule { return ruleByID[id] }

// Violation returns the error for a frame that breaks the rule id, which is one of
// Rules; detail says what was seen.
func (id RuleID) Violation(detail string) *ProtocolError {
	r := id.Rule()
	return &ProtocolError{Code: r.Code, Rule: id, Section: r.Section, Detail: detail}
}

// Refusal returns the error for a handshake that breaks the rule id, which is one of
// Rules; detail says what was seen.
func (id RuleID) Refusal(detail string) *HandshakeError {
	r := id.Rule()
	return &HandshakeError{Status: r.Status, Rule: id, Section: r.Section, Detail: detail}
}
