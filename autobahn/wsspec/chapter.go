package wsspec

// A chapter collects cases that have a section and a clause in common.
type chapter struct {
	name    string
	rfc     string // "7692", which ids then begin with; "" is 6455
	section string // "5.2"
	clause  string
	roles   Roles
	cases   []*Case
	nonces  *nonces // the keys of a client's requests, in every case from clientRequest on
}

// A choice is something about a case that is not as usual.
type choice func(*Case)

// should makes a case a SHOULD, and info one without right or wrong; why says why it
// is no MUST.
func should(why string) choice { return func(c *Case) { c.Level, c.Why = Should, why } }
func info(why string) choice   { return func(c *Case) { c.Level, c.Why = Info, why } }

// because explains a case that is a MUST in one part and a SHOULD in another.
func because(why string) choice { return func(c *Case) { c.Why = why } }

func only(r Roles) choice          { return func(c *Case) { c.Roles = r } }
func tagged(tags ...string) choice { return func(c *Case) { c.Tags = append(c.Tags, tags...) } }
func quoting(clause string) choice { return func(c *Case) { c.Clause = clause } }

// at begins a section: the cases that follow have it, and its clause.
func (ch *chapter) at(section, clause string) { ch.section, ch.clause = section, clause }

// add adds a case; its id is the section, a slash and the word.
func (ch *chapter) add(word, title string, play func(*Dialogue) Verdict, choices ...choice) {
	c := &Case{
		ID: ch.section + "/" + word, Chapter: ch.name, Section: "6455 §" + ch.section, Level: Must,
		Roles: ch.roles, Title: title, Clause: ch.clause, Play: play,
	}
	if ch.rfc != "" {
		c.ID, c.Section = ch.rfc+"/"+c.ID, ch.rfc+" §"+ch.section
	}
	for _, choose := range choices {
		choose(c)
	}
	if c.Level == Info {
		c.Play = noted(c.Play)
	}
	if n := ch.nonces; n != nil {
		judge := c.Play
		c.Play = func(d *Dialogue) Verdict {
			n.note(d.Request.Get("Sec-WebSocket-Key"))
			return judge(d)
		}
	}
	ch.cases = append(ch.cases, c)
}

// script adds a case that is a script.
func (ch *chapter) script(word, title string, s script, choices ...choice) {
	ch.add(word, title, s.play, choices...)
}

// noted makes a verdict an observation.
func noted(play func(*Dialogue) Verdict) func(*Dialogue) Verdict {
	return func(d *Dialogue) Verdict {
		v := play(d)
		if v.Outcome != Skipped && !v.Hard {
			v.Outcome = Noted
		}
		return v
	}
}
