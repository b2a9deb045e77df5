package lab

import "framewright/ws"

// A place is a line of this repository.
type place struct {
	File string
	Line int
}

// enforced is where each rule of the breaks is enforced.
//
// Written by go test ./lab -run TestEnforced -update, and held by it.
var enforced = map[ws.RuleID]place{
	ws.RuleClientMasks:         {"ws/receiver.go", 163},
	ws.RuleRSV:                 {"ws/receiver.go", 154},
	ws.RuleOpcode:              {"ws/receiver.go", 159},
	ws.RuleMinimalLength:       {"ws/frame.go", 135},
	ws.RuleLengthTopBit:        {"ws/frame.go", 145},
	ws.RuleControlFin:          {"ws/receiver.go", 173},
	ws.RuleControlLength:       {"ws/receiver.go", 176},
	ws.RuleContinuation:        {"ws/state.go", 71},
	ws.RuleInterleaved:         {"ws/state.go", 78},
	ws.RuleTextUTF8:            {"ws/receiver.go", 211},
	ws.RuleCloseCode:           {"ws/close.go", 95},
	ws.RuleCloseLength:         {"ws/close.go", 91},
	ws.RuleCloseUTF8:           {"ws/close.go", 98},
	ws.RuleAfterClose:          {"ws/state.go", 100},
	ws.RuleMessageSize:         {"ws/receiver_rules.go", 95},
	ws.RuleFragments:           {"ws/receiver.go", 188},
	ws.RulePingRate:            {"ws/limits.go", 93},
	ws.RuleEmptyRate:           {"ws/limits.go", 110},
	ws.RuleRSV1:                {"ws/receiver.go", 149},
	ws.RuleDeflate:             {"ws/inflate.go", 84},
	ws.RuleKey:                 {"ws/handshake.go", 145},
	ws.RuleVersion:             {"ws/handshake.go", 138},
	ws.RuleMethod:              {"ws/handshake.go", 110},
	ws.RuleHTTPVersion:         {"ws/handshake.go", 106},
	ws.RuleHost:                {"ws/handshake.go", 119},
	ws.RuleUpgrade:             {"ws/handshake.go", 128},
	ws.RuleConnection:          {"ws/handshake.go", 133},
	ws.RuleNoBody:              {"ws/handshake.go", 150},
	ws.RuleOrigin:              {"ws/origin.go", 42},
	ws.RuleOneOrigin:           {"ws/origin.go", 24},
	ws.RuleExtensions:          {"ws/deflate.go", 191},
	ws.RuleAccept:              {"ws/handshake.go", 293},
	ws.RuleStatus:              {"ws/handshake.go", 284},
	ws.RuleAnswerUpgrade:       {"ws/handshake.go", 287},
	ws.RuleAnswerConnection:    {"ws/handshake.go", 290},
	ws.RuleAnswerNotHTTP:       {"ws/wsnet/dial.go", 153},
	ws.RuleAnswerBodyForbidden: {"ws/handshake.go", 299},
	ws.RuleAnswerSubprotocol:   {"ws/handshake.go", 317},
	ws.RuleAnswerOneSubproto:   {"ws/handshake.go", 314},
	ws.RuleAnswerExtensions:    {"ws/deflate.go", 268},
	ws.RuleServerUnmasked:      {"ws/receiver.go", 167},
}
