package engineio

// A poll is a GET request that waits.
type poll struct {
	ready   chan struct{} // closed when packets are there
	packets []packet
}

// answerPoll gives packets to the request that waits. The caller holds s.mu.
func (s *Socket) answerPoll(packets []packet) {
	s.poll.packets = packets
	close(s.poll.ready)
	s.poll = nil
}
