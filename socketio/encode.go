package socketio

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"framewright/engineio"
)

// An encoded is a packet as it goes out: one text message, and the attachments,
// each a binary one, right behind it.
type encoded struct {
	text        []byte
	attachments [][]byte
	prepared    *engineio.Prepared

	asks   bool     // an acknowledgement is wanted
	marked *encoded // the same with an offset, for sockets that can be recovered
	place  bool     // has an offset of its own
}

func prepare(text []byte, attachments [][]byte) (*encoded, error) {
	messages := make([]engineio.Message, 1, 1+len(attachments))
	messages[0].Data = text
	for _, a := range attachments {
		messages = append(messages, engineio.Binary(a))
	}
	p, err := engineio.Prepare(messages...)
	return &encoded{text: text, attachments: attachments, prepared: p}, err
}

// encode makes a packet of values that can be sent to many.
func encode(kind PacketType, namespace string, id int64, values ...any) (*encoded, error) {
	text, attachments, err := encodeText(kind, namespace, id, values)
	if err != nil {
		return nil, err
	}
	return prepare(text, attachments)
}

// encodeText makes a packet of kind (typeEvent or typeAck) of values, which it
// overwrites. Where they hold a []byte, at any depth, the packet is a binary one.
func encodeText(kind PacketType, namespace string, id int64, values []any) (text []byte, attachments [][]byte, err error) {
	x := extractor{}
	for i, v := range values {
		var err error
		if values[i], err = x.value(reflect.ValueOf(v), 0); err != nil {
			return nil, nil, fmt.Errorf("socketio: value %d of %d: %w", i+1, len(values), err)
		}
	}
	p := packet{typ: kind, namespace: namespace, id: id, attachments: len(x.found)}
	if len(x.found) > 0 {
		p.typ += typeBinaryEvent - typeEvent
	}
	if values == nil {
		values = []any{}
	}
	text, err = appendJSON(appendHead(nil, p), values)
	return text, x.found, err
}

// appendJSON appends v as JavaScript's JSON.stringify would write it: with <, >
// and & as they are.
func appendJSON(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("socketio: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// placeholderJSON stands where an attachment was.
type placeholderJSON struct {
	Placeholder bool `json:"_placeholder"`
	Num         int  `json:"num"`
}

// An extractor copies values and puts placeholders where a []byte is. What it
// makes encodes like the original otherwise: struct tags, embedded structs and
// types that encode themselves keep their meaning. Values without bytes are not
// copied.
type extractor struct{ found [][]byte }

// maxNesting bounds what is followed; a value that contains itself would never
// end.
const maxNesting = 100

var errNesting = errors.New("nested too deep, or contains itself")

func (x *extractor) value(v reflect.Value, depth int) (any, error) {
	if !v.IsValid() {
		return nil, nil
	}
	if !mayHold(v.Type()) {
		return v.Interface(), nil
	}
	if depth > maxNesting {
		return nil, errNesting
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return x.value(v.Elem(), depth+1)
	case reflect.Slice:
		if v.IsNil() {
			return nil, nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			x.found = append(x.found, v.Bytes())
			return placeholderJSON{true, len(x.found) - 1}, nil
		}
		fallthrough
	case reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			var err error
			if list[i], err = x.value(v.Index(i), depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case reflect.Map:
		if v.IsNil() {
			return nil, nil
		}
		m := reflect.MakeMapWithSize(reflect.MapOf(v.Type().Key(), anyType), v.Len())
		for it := v.MapRange(); it.Next(); {
			e, err := x.value(it.Value(), depth+1)
			if err != nil {
				return nil, err
			}
			m.SetMapIndex(it.Key(), box(e))
		}
		return m.Interface(), nil
	case reflect.Struct:
		s, err := x.structure(v, depth)
		if err != nil {
			return nil, err
		}
		return s.Interface(), nil
	}
	return v.Interface(), nil
}

var anyType = reflect.TypeFor[any]()

// box is v as a value of type any, which may be nil.
func box(v any) reflect.Value {
	b := reflect.New(anyType).Elem()
	if v != nil {
		b.Set(reflect.ValueOf(v))
	}
	return b
}

// structure copies a struct into one with the same names and tags, whose fields
// can hold a placeholder.
func (x *extractor) structure(v reflect.Value, depth int) (reflect.Value, error) {
	if depth > maxNesting {
		return v, errNesting
	}
	var fields []reflect.StructField
	var values []reflect.Value
	for i := range v.NumField() {
		f, fv := v.Type().Field(i), v.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			for fv.Kind() == reflect.Pointer && !fv.IsNil() && (f.IsExported() || fv.Type().Elem().Kind() == reflect.Struct) {
				fv = fv.Elem()
			}
			if fv.Kind() == reflect.Struct && !encodesItself(fv.Type()) {
				e, err := x.structure(fv, depth+1)
				if err != nil {
					return v, err
				}
				fields = append(fields, reflect.StructField{Name: fmt.Sprintf("Embedded%d", i), Type: e.Type(), Anonymous: true})
				values = append(values, e)
				continue
			}
			if fv.Kind() == reflect.Pointer && fv.IsNil() {
				continue // has no fields to promote
			}
		}
		if !f.IsExported() || name == "-" && options == "" {
			continue
		}
		t := f.Type
		if mayHold(t) {
			t = anyType
			if omitted(fv, options) {
				fv = box(nil)
			} else {
				e, err := x.value(fv, depth+1)
				if err != nil {
					return v, err
				}
				fv = box(e)
			}
		}
		fields = append(fields, reflect.StructField{Name: f.Name, Type: t, Tag: f.Tag})
		values = append(values, fv)
	}
	s := reflect.New(reflect.StructOf(fields)).Elem()
	for i, fv := range values {
		s.Field(i).Set(fv)
	}
	return s, nil
}

// omitted tells whether encoding/json leaves the field out.
func omitted(v reflect.Value, options string) bool {
	for o := range strings.SplitSeq(options, ",") {
		switch {
		case o == "omitzero" && v.IsZero():
			return true
		case o != "omitempty":
		case v.Kind() == reflect.Slice || v.Kind() == reflect.Map || v.Kind() == reflect.Array:
			return v.Len() == 0
		case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
			return v.IsNil()
		}
	}
	return false
}

var holding sync.Map // reflect.Type to bool, see mayHold

// mayHold tells whether a value of type t may have a []byte somewhere that
// encoding/json would write as base64.
func mayHold(t reflect.Type) bool {
	if known, ok := holding.Load(t); ok {
		return known.(bool)
	}
	may := search(t, map[reflect.Type]bool{})
	holding.Store(t, may)
	return may
}

func search(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8 && !encodesItself(t.Elem()) || search(t.Elem(), seen)
	case reflect.Array, reflect.Pointer, reflect.Map:
		return search(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && search(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// encodesItself tells whether t, or a pointer to it, has a method with which it
// writes itself.
func encodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false // what is inside decides
	}
	p := reflect.PointerTo(t)
	return p.Implements(jsonMarshaler) || p.Implements(textMarshaler)
}
