package ws

// How a connection ends, and what of it is said (RFC 6455 §7). The reason is one
// *CloseError; these functions make it, and the Close frame that is owed.

// EndByPeer returns the reason for which a connection ends by the peer's Close frame
// with this code and reason. If this endpoint had sent a Close frame before, sent, the
// closing handshake that it began is complete, and sent is the reason: "the close code"
// is that of the first one (§7.1.5, §7.1.6). If not, answer is the Close frame that is
// owed: "the endpoint MUST send a Close frame in response" (§5.5.1), with the same code.
func EndByPeer(code Code, reason string, sent *CloseError) (end, answer *CloseError) {
	if sent != nil {
		return sent, nil
	}
	return &CloseError{Code: code, Reason: reason, Remote: true}, &CloseError{Code: code}
}

// EndByFailure returns the reason for which this endpoint fails the connection
// (§7.1.7), and by that the Close frame that is owed: code, and as much of reason as
// fits. err is what made it do so.
func EndByFailure(code Code, reason string, err error) *CloseError {
	return &CloseError{Code: code, Reason: FitReason(reason), Err: err}
}

// EndByViolation is EndByFailure for a rule that the peer broke.
func EndByViolation(e *ProtocolError) *CloseError { return EndByFailure(e.Code, e.Reason(), e) }

// EndByLoss returns the reason for which a connection ends without a Close frame of the
// peer's (§7.1.5), for the reason err; remote says that the peer went away or was cut
// off. If this endpoint had sent a Close frame, sent, the code is that one's.
func EndByLoss(err error, remote bool, sent *CloseError) *CloseError {
	if sent != nil {
		return &CloseError{Code: sent.Code, Reason: sent.Reason, Err: err}
	}
	return &CloseError{Code: CodeAbnormal, Remote: remote, Err: err}
}
