package fault

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
)

func TestParse(t *testing.T) {
	p, err := ParseVolume(map[string]string{
		"restore": "error:RESOURCE_EXHAUSTED", "provision": "slow:20", "delete": "leak",
		"csi.storage.k8s.io/fstype": "ext4",
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := p["restore"]; f.Kind != Error || f.Code != codes.ResourceExhausted {
		t.Errorf("restore = %+v", f)
	}
	if f := p["provision"]; f.Kind != Slow || f.Delay != 20*time.Second {
		t.Errorf("provision = %+v", f)
	}
	if p.Kind("delete") != Leak || p.Kind("absent") != OK {
		t.Errorf("delete = %s, absent = %s", p.Kind("delete"), p.Kind("absent"))
	}
	for _, value := range []string{"ok", "empty", "stale", "truncated", "bitflip", "other-volume", "zeros-at-end", "old-snapshot", "hang", "slow:0", "error:Canceled", "error:CANCELLED", "error:InvalidArgument"} {
		if _, err := ParseVolume(map[string]string{"restore": value}); err != nil {
			t.Errorf("restore=%s: %v", value, err)
		}
	}
	for _, value := range []string{"ok", "hang", "slow:1", "error:Internal", "never-ready", "size-zero"} {
		if _, err := ParseSnapshot(map[string]string{"snapshot": value}); err != nil {
			t.Errorf("snapshot=%s: %v", value, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ key, value, names string }{
		{"restor", "ok", "restore"},
		{"snapshot", "hang", "restore"},
		{"restore", "bad", "bitflip"},
		{"restore", "", "bitflip"},
		{"restore", "never-ready", "bitflip"},
		{"provision", "empty", "slow:SECONDS"},
		{"restore", "slow", "seconds"},
		{"restore", "slow:-1", "seconds"},
		{"restore", "slow:soon", "seconds"},
		{"restore", "error", "gRPC"},
		{"restore", "error:OK", "gRPC"},
		{"restore", "error:Nonsense", "gRPC"},
		{"restore", "hang:5", "no argument"},
		{"message", "out of room", "error:Internal"},
	} {
		_, err := ParseVolume(map[string]string{c.key: c.value})
		if err == nil || !strings.Contains(err.Error(), c.names) || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s=%s: %v", c.key, c.value, err)
		}
	}
}

func TestMessageIsOfAllErrors(t *testing.T) {
	for _, text := range []string{"", "{\"code\": 507,\n\t\"message\": \"full\"}", "error:Internal", strings.Repeat("x", 1<<16)} {
		p, err := ParseSnapshot(map[string]string{"snapshot": "error:Internal", "delete": "hang", "message": text})
		if err != nil {
			t.Fatal(err)
		}
		if m := p["snapshot"].Message; m == nil || *m != text {
			t.Errorf("%q became %v", text, m)
		}
		if p["delete"].Message != nil {
			t.Error("what is no error has a message")
		}
		if _, kept := p["message"]; kept {
			t.Error("message is taken for a fault")
		}
	}
	if p, err := ParseVolume(map[string]string{"restore": "error:Internal"}); err != nil || p["restore"].Message != nil {
		t.Errorf("without a message: %+v, %v", p, err)
	}
	if _, err := ParseSnapshot(map[string]string{"snapshot": "hang", "message": "x"}); err == nil {
		t.Error("a message without an error is accepted")
	}
}

func TestParseDelete(t *testing.T) {
	if f, err := ParseDelete("", nil); err != nil || f.Kind != OK {
		t.Errorf("nothing recorded: %+v, %v", f, err)
	}
	text := "no"
	if f, err := ParseDelete("error:Internal", &text); err != nil || f.Code != codes.Internal || f.Message != &text {
		t.Errorf("error:Internal: %+v, %v", f, err)
	}
}
