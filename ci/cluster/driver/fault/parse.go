// Package fault holds what the driver does wrong on request. A fault is asked
// for by the parameters of a class, so it is an object and not a restart.
package fault

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
)

// Kind is what a fault does; the values stand in the package comment of the driver.
type Kind string

const (
	OK    Kind = "ok"
	Hang  Kind = "hang"
	Slow  Kind = "slow"
	Error Kind = "error"

	Empty       Kind = "empty"
	Stale       Kind = "stale"
	Truncated   Kind = "truncated"
	BitFlip     Kind = "bitflip"
	OtherVolume Kind = "other-volume"
	ZerosAtEnd  Kind = "zeros-at-end"
	OldSnapshot Kind = "old-snapshot"

	NeverReady Kind = "never-ready"
	SizeZero   Kind = "size-zero"

	Leak Kind = "leak"

	RootOnly Kind = "root-only"
)

// Fault is the parsed value of one parameter.
type Fault struct {
	Kind  Kind
	Delay time.Duration // of slow
	Code  codes.Code    // of error
	// Message is what an error says, to the letter; nil: the driver's own words.
	Message *string
	// Text is the parameter as written, for messages: "restore=error:Internal".
	Text string
}

// Parameters are the faults of a class by parameter; one not given is ok.
type Parameters map[string]Fault

// Kind of the fault that the parameter asks for.
func (p Parameters) Kind(parameter string) Kind {
	if f, given := p[parameter]; given {
		return f.Kind
	}
	return OK
}

var (
	volumeParameters = map[string][]Kind{
		"restore":   {OK, Empty, Stale, Truncated, BitFlip, OtherVolume, ZerosAtEnd, OldSnapshot, Hang, Slow, Error},
		"provision": {OK, Hang, Slow, Error},
		"delete":    deleteKinds,
		"device":    {OK, RootOnly},
	}
	snapshotParameters = map[string][]Kind{
		"snapshot": {OK, Hang, Slow, Error, NeverReady, SizeZero},
		"delete":   deleteKinds,
	}
	deleteKinds = []Kind{OK, Hang, Error, Leak}
)

// ParseVolume reads the parameters of a StorageClass.
func ParseVolume(parameters map[string]string) (Parameters, error) {
	return parse("StorageClass", volumeParameters, parameters)
}

// ParseSnapshot reads those of a VolumeSnapshotClass or VolumeGroupSnapshotClass.
func ParseSnapshot(parameters map[string]string) (Parameters, error) {
	return parse("snapshot class", snapshotParameters, parameters)
}

// ParseDelete reads recorded values of the parameters delete and message.
func ParseDelete(value string, message *string) (Fault, error) {
	if value == "" {
		return Fault{Kind: OK}, nil
	}
	f, err := parseValue("delete", value, deleteKinds)
	f.Message = message
	return f, err
}

// message is the parameter that replaces the words of a class's errors.
const message = "message"

// Message of a class; nil if it has none.
func Message(parameters map[string]string) *string {
	if text, given := parameters[message]; given {
		return &text
	}
	return nil
}

// sidecarPrefix begins the keys that the sidecars add, or understand themselves.
const sidecarPrefix = "csi.storage.k8s.io/"

func parse(class string, allowed map[string][]Kind, given map[string]string) (Parameters, error) {
	parsed := Parameters{}
	text, errs := Message(given), 0
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if strings.HasPrefix(key, sidecarPrefix) || key == message {
			continue
		}
		kinds, known := allowed[key]
		if !known {
			names := slices.Sorted(maps.Keys(allowed))
			names = append(names, message)
			return nil, fmt.Errorf("unknown %s parameter %q; this driver knows %s", class, key, strings.Join(names, ", "))
		}
		f, err := parseValue(key, given[key], kinds)
		if err != nil {
			return nil, err
		}
		if f.Kind == Error {
			f.Message = text
			errs++
		}
		parsed[key] = f
	}
	if text != nil && errs == 0 {
		return nil, fmt.Errorf("parameter message: no other parameter asks for an error that would have it, as in error:Internal")
	}
	return parsed, nil
}

func parseValue(key, value string, allowed []Kind) (Fault, error) {
	name, argument, hasArgument := strings.Cut(value, ":")
	f := Fault{Kind: Kind(name), Text: key + "=" + value}
	if !slices.Contains(allowed, f.Kind) {
		return f, fmt.Errorf("parameter %s has the unknown value %q; allowed are %s", key, value, spell(allowed))
	}
	switch f.Kind {
	case Slow:
		seconds, err := strconv.Atoi(argument)
		if err != nil || seconds < 0 {
			return f, fmt.Errorf("parameter %s: %q wants a whole number of seconds, as in slow:20", key, value)
		}
		f.Delay = time.Duration(seconds) * time.Second
	case Error:
		code, known := parseCode(argument)
		if !known {
			return f, fmt.Errorf("parameter %s: %q wants the name of a gRPC error code, as in error:ResourceExhausted", key, value)
		}
		f.Code = code
	default:
		if hasArgument {
			return f, fmt.Errorf("parameter %s: %s takes no argument, but the value is %q", key, f.Kind, value)
		}
	}
	return f, nil
}

func spell(kinds []Kind) string {
	var words []string
	for _, k := range kinds {
		switch k {
		case Slow:
			words = append(words, "slow:SECONDS")
		case Error:
			words = append(words, "error:CODE")
		default:
			words = append(words, string(k))
		}
	}
	return strings.Join(words, ", ")
}

// parseCode knows InvalidArgument and INVALID_ARGUMENT, but not OK.
func parseCode(name string) (codes.Code, bool) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		// grpc's own name of CANCELLED has one L.
		if plain(name) == plain(code.String()) || code == codes.Canceled && plain(name) == "cancelled" {
			return code, true
		}
	}
	return codes.OK, false
}
