package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sleeper(t *testing.T) (Table, Spec) {
	t.Helper()
	folder := t.TempDir()
	configuration := filepath.Join(folder, "configuration")
	if err := os.WriteFile(configuration, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	table := Table{filepath.Join(folder, "run")}
	spec := Spec{Name: "sleeper", Program: "/bin/sleep", Args: []string{"600"}, Files: []string{configuration}, Log: filepath.Join(folder, "log")}
	t.Cleanup(func() { _ = table.Stop(t.Context(), spec.Name, 0) })
	return table, spec
}

func ensure(t *testing.T, table Table, spec Spec) Record {
	t.Helper()
	record, err := table.Ensure(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !record.Alive() {
		t.Fatalf("%+v does not run", record)
	}
	return record
}

func TestEnsureRestartsOnlyWhatChanged(t *testing.T) {
	table, spec := sleeper(t)
	first := ensure(t, table, spec)
	if second := ensure(t, table, spec); second != first {
		t.Errorf("nothing changed, but %+v became %+v", first, second)
	}
	if err := os.WriteFile(spec.Files[0], []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	third := ensure(t, table, spec)
	if third.Pid == first.Pid || first.Alive() {
		t.Errorf("a changed configuration left pid %d running", first.Pid)
	}
	spec.Args = []string{"601"}
	if fourth := ensure(t, table, spec); fourth.Pid == third.Pid || third.Alive() {
		t.Errorf("changed arguments left pid %d running", third.Pid)
	}
}

func TestStopEndsAndForgets(t *testing.T) {
	table, spec := sleeper(t)
	record := ensure(t, table, spec)
	if err := table.Stop(t.Context(), spec.Name, time.Minute); err != nil {
		t.Fatal(err)
	}
	if record.Alive() {
		t.Errorf("pid %d still runs", record.Pid)
	}
	if records, err := table.Records(); err != nil || len(records) != 0 {
		t.Errorf("records are %v, %v", records, err)
	}
	if err := table.Stop(t.Context(), spec.Name, time.Minute); err != nil {
		t.Errorf("stopping what is not there: %v", err)
	}
}

func TestStopKillsWhatIgnoresTerm(t *testing.T) {
	table, spec := sleeper(t)
	ready := spec.Log + ".ready"
	spec.Program, spec.Args = "/bin/sh", []string{"-c", "trap '' TERM; mkfifo " + ready + "; echo >" + ready + "; while :; do sleep 600; done"}
	record := ensure(t, table, spec)
	// Reading ends when the process has set its trap and opened the other end.
	for {
		if _, err := os.ReadFile(ready); err == nil {
			break
		}
	}
	if err := table.Stop(t.Context(), spec.Name, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if record.Alive() {
		t.Errorf("pid %d survived", record.Pid)
	}
}

// A pid that was given to another process in the meantime must neither count as alive nor be signalled.
func TestStrangerWithTheSamePidIsLeftAlone(t *testing.T) {
	_, spec := sleeper(t)
	stranger := exec.Command("/bin/sleep", "600")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	record := Record{Name: spec.Name, Pid: stranger.Process.Pid, StartTime: "1"}
	if record.Alive() {
		t.Error("a stranger counts as alive")
	}
	if err := End(t.Context(), record.Pid, record.StartTime, time.Minute); err != nil {
		t.Fatal(err)
	}
	if start, err := startTime(stranger.Process.Pid); err != nil {
		t.Errorf("the stranger was ended (start time %q): %v", start, err)
	}
}

func TestErrorShowsTheLog(t *testing.T) {
	table, spec := sleeper(t)
	spec.Program = "/does/not/exist"
	if _, err := table.Ensure(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "sleeper") {
		t.Errorf("error is %v", err)
	}
	if err := os.WriteFile(spec.Log, []byte("a\nb\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Tail(spec.Log, 2); got != "  b\n  c" {
		t.Errorf("Tail gives %q", got)
	}
}
