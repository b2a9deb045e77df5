package socketio

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// Bind makes handlers of the methods of v, for a namespace whose state is a type:
//
//	func (c *Chat) OnConnect(ctx context.Context, s *Socket) error              see Namespace.OnConnect
//	func (c *Chat) OnDisconnect(ctx context.Context, s *Socket, why Reason)     see Namespace.OnDisconnect
//	func (c *Chat) OnMessage(ctx context.Context, s *Socket, text string) error an event "message"
//	func (c *Chat) OnMyEvent(ctx context.Context, s *Socket, a, b int) (int, error)
//
// The last is for "my_event", with two arguments, and is answered with what it returns.
// OnAny and OnError are as the namespace's own; Use and UseEvents are no handlers, and are
// left alone. If v has a method EventNames() map[string]string, it says by which event a
// method is called whose event's name is another: {"OnMyEvent": "my event"}.
//
// Methods whose names do not begin with On and a capital are v's own business. The error
// names those that do, and do not look like this, and nothing is bound then.
func (n *Namespace) Bind(v any) error {
	value := reflect.ValueOf(v)
	if !value.IsValid() {
		return errors.New("socketio: Bind of nil")
	}
	names := map[string]string{}
	if named, ok := v.(interface{ EventNames() map[string]string }); ok {
		names = named.EventNames()
	}
	var bind []func()
	var errs []error
	for i := range value.NumMethod() {
		name := value.Type().Method(i).Name
		event, ok := eventOf(name)
		if !ok {
			continue
		}
		if other, ok := names[name]; ok {
			event = other
		}
		f, err := n.binding(name, event, value.Method(i))
		errs = append(errs, err)
		bind = append(bind, f)
	}
	for name := range names {
		if !value.MethodByName(name).IsValid() {
			errs = append(errs, fmt.Errorf("EventNames has %s, and there is no such method", name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("socketio: Bind of %T: %w", v, err)
	}
	if len(bind) == 0 {
		return fmt.Errorf("socketio: Bind of %T: it has no method whose name begins with On; are they of the pointer?", v)
	}
	for _, f := range bind {
		f()
	}
	return nil
}

// eventOf is "my_event" for "OnMyEvent".
func eventOf(method string) (event string, ok bool) {
	rest, ok := strings.CutPrefix(method, "On")
	if !ok || rest == "" || !unicode.IsUpper(rune(rest[0])) {
		return "", false
	}
	var b strings.Builder
	for i, r := range rest {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String(), true
}

// binding is what makes a method a handler.
func (n *Namespace) binding(name, event string, method reflect.Value) (func(), error) {
	var want string
	switch f := method.Interface(); name {
	case "OnConnect":
		if f, ok := f.(func(context.Context, *Socket) error); ok {
			return func() { n.OnConnect(f) }, nil
		}
		want = "(ctx, *Socket) error"
	case "OnDisconnect":
		if f, ok := f.(func(context.Context, *Socket, Reason)); ok {
			return func() { n.OnDisconnect(f) }, nil
		}
		want = "(ctx, *Socket, Reason)"
	case "OnAny":
		if f, ok := f.(func(context.Context, *Socket, string, Args) (Reply, error)); ok {
			return func() { n.OnAny(f) }, nil
		}
		want = "(ctx, *Socket, string, Args) (Reply, error)"
	case "OnError":
		if f, ok := f.(func(context.Context, *Socket, string, error) error); ok {
			return func() { n.OnError(f) }, nil
		}
		want = "(ctx, *Socket, string, error) error"
	default:
		h, err := handlerOf(method)
		if err != nil {
			return nil, fmt.Errorf("%s is %v; %w", name, method.Type(), err)
		}
		return func() { n.handle(event, h) }, nil
	}
	return nil, fmt.Errorf("%s is %v; want %s", name, method.Type(), want)
}

var (
	contextType = reflect.TypeFor[context.Context]()
	socketType  = reflect.TypeFor[*Socket]()
	errorType   = reflect.TypeFor[error]()
	argsType    = reflect.TypeFor[Args]()
)

// handlerOf makes a handler of a function of a context, a socket and the event's
// arguments.
func handlerOf(f reflect.Value) (handler, error) {
	t := f.Type()
	outs := t.NumOut()
	if t.NumIn() < 2 || t.In(0) != contextType || t.In(1) != socketType || t.IsVariadic() ||
		outs < 1 || outs > 2 || t.Out(outs-1) != errorType {
		return nil, errors.New("want (ctx context.Context, s *socketio.Socket, arguments …) error, or (result, error)")
	}
	all := t.NumIn() == 3 && t.In(2) == argsType
	return func(ctx context.Context, s *Socket, args Args) ([]any, error) {
		in := []reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(s)}
		if all {
			in = append(in, reflect.ValueOf(args))
		} else {
			var into []any
			for i := 2; i < t.NumIn(); i++ {
				p := reflect.New(t.In(i))
				in, into = append(in, p.Elem()), append(into, p.Interface())
			}
			if err := args.Decode(into...); err != nil {
				return nil, err
			}
		}
		out := f.Call(in)
		if err, _ := out[outs-1].Interface().(error); err != nil || outs == 1 {
			return nil, err
		}
		if list, ok := out[0].Interface().(Reply); ok {
			return list, nil
		}
		return []any{out[0].Interface()}, nil
	}, nil
}
