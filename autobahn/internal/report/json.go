package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes reports as one document, {"reports": [...]}.
func WriteJSON(w io.Writer, reports []*Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(struct {
		Reports []*Report `json:"reports"`
	}{reports})
}

// ReadJSON reads what WriteJSON wrote.
func ReadJSON(r io.Reader) ([]*Report, error) {
	var doc struct {
		Reports []*Report `json:"reports"`
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return nil, fmt.Errorf(`not a report of this suite, {"reports": [...]}: %w`, err)
	}
	for _, rep := range doc.Reports {
		if rep == nil {
			return nil, fmt.Errorf("a report in it is null")
		}
	}
	return doc.Reports, nil
}
