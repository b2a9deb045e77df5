package wsspec

// chapters are the suite's parts, in the order in which they are listed and played.
var chapters = []func() []*Case{
	autobahnCases,
	deflateCases,
	framing,
	handshake,
	utf8Chapter,
	segmentation,
	robustness,
	negotiation,
}

// Cases returns all cases. They are the caller's to select from and not to change.
func Cases() []*Case {
	var all []*Case
	for _, chapter := range chapters {
		all = append(all, chapter()...)
	}
	return all
}
