// Package process starts programs that outlive the command, and ends them by their own recorded pid.
//
// A record holds pid and start time. A process counts as ours only while both match: pids are reused, and a
// zombie or a stranger must never be taken for a living component, nor be signalled.
package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Spec is a program to run.
type Spec struct {
	// Name identifies the instance; records and logs are named after it.
	Name    string
	Program string
	Args    []string
	// Env is the whole environment.
	Env []string
	// Files are configuration files: a change in one restarts the process.
	Files []string
	// Log receives standard output and standard error, appended.
	Log string
}

// Record is what is known about a started process.
type Record struct {
	Name string `json:"name"`
	Pid  int    `json:"pid"`
	// StartTime is field 22 of /proc/PID/stat, in clock ticks since boot.
	StartTime string `json:"startTime"`
	// Fingerprint changes with program, arguments, environment and configuration files.
	Fingerprint string `json:"fingerprint"`
	Log         string `json:"log"`
}

// Table is a folder of records.
type Table struct {
	Directory string
}

func (t Table) file(name string) string { return filepath.Join(t.Directory, name+".json") }

// Records lists every process that was started and not yet ended, living or not.
func (t Table) Records() ([]Record, error) {
	files, err := filepath.Glob(filepath.Join(t.Directory, "*.json"))
	if err != nil {
		return nil, err
	}
	var records []Record
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var record Record
		if err := json.Unmarshal(data, &record); err != nil {
			return nil, fmt.Errorf("process record %s: %w", file, err)
		}
		records = append(records, record)
	}
	return records, nil
}

// Living returns the record of a process that runs now.
func (t Table) Living(name string) (Record, bool) {
	data, err := os.ReadFile(t.file(name))
	if err != nil {
		return Record{}, false
	}
	var record Record
	if json.Unmarshal(data, &record) != nil {
		return Record{}, false
	}
	return record, record.Alive()
}

// Alive says whether the recorded process itself, not a later one with its pid, runs.
func (r Record) Alive() bool {
	start, err := startTime(r.Pid)
	return err == nil && start == r.StartTime
}

// Ensure starts the program unless it already runs exactly as specified. One that runs otherwise is ended first.
func (t Table) Ensure(ctx context.Context, spec Spec) (Record, error) {
	fingerprint, err := spec.fingerprint()
	if err != nil {
		return Record{}, err
	}
	if record, alive := t.Living(spec.Name); alive {
		if record.Fingerprint == fingerprint {
			return record, nil
		}
		if err := t.Stop(ctx, spec.Name, 10*time.Second); err != nil {
			return Record{}, err
		}
	}
	return t.start(spec, fingerprint)
}

func (t Table) start(spec Spec, fingerprint string) (Record, error) {
	for _, directory := range []string{t.Directory, filepath.Dir(spec.Log)} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return Record{}, err
		}
	}
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return Record{}, err
	}
	defer log.Close()
	command := exec.Command(spec.Program, spec.Args...)
	command.Env = spec.Env
	command.Stdout, command.Stderr = log, log
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return Record{}, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	// The parent of a component that dies at once must reap it, or it would stay a zombie with its start time.
	go func() { _ = command.Wait() }()
	start, err := startTime(command.Process.Pid)
	if err != nil {
		return Record{}, fmt.Errorf("%s ended at once; its log %s ends with:\n%s", spec.Name, spec.Log, Tail(spec.Log, 10))
	}
	record := Record{Name: spec.Name, Pid: command.Process.Pid, StartTime: start, Fingerprint: fingerprint, Log: spec.Log}
	data, err := json.Marshal(record)
	if err != nil {
		return Record{}, err
	}
	if err := os.WriteFile(t.file(spec.Name), data, 0o644); err != nil {
		_ = command.Process.Kill()
		return Record{}, err
	}
	return record, nil
}

// Stop sends TERM, waits, sends KILL after the grace period, and forgets the process. One that is not there is no error.
func (t Table) Stop(ctx context.Context, name string, grace time.Duration) error {
	record, alive := t.Living(name)
	if alive {
		if err := End(ctx, record.Pid, record.StartTime, grace); err != nil {
			return fmt.Errorf("stop %s (pid %d): %w", name, record.Pid, err)
		}
	}
	if err := os.Remove(t.file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// End ends one process: TERM, and KILL after the grace period. A grace of 0 kills at once.
// The start time protects a stranger that got the pid in the meantime; an empty one is read now.
func End(ctx context.Context, pid int, start string, grace time.Duration) error {
	// A pid file descriptor keeps meaning the same process, so the check below and the signals cannot be torn apart.
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	now, err := startTime(pid)
	if err != nil || (start != "" && now != start) {
		return nil
	}
	if grace > 0 {
		if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
		if gone, err := waitForExit(ctx, fd, grace); gone || err != nil {
			return err
		}
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	gone, err := waitForExit(ctx, fd, 10*time.Second)
	if err != nil {
		return err
	}
	if !gone {
		return errors.New("it does not end, not even on KILL")
	}
	return nil
}

func waitForExit(ctx context.Context, pidfd int, limit time.Duration) (bool, error) {
	deadline := time.Now().Add(limit)
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		left := min(time.Until(deadline), 500*time.Millisecond)
		if left <= 0 {
			return false, nil
		}
		poll := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, int(left/time.Millisecond)+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false, err
		}
		if n > 0 {
			return true, nil
		}
	}
}

// startTime reads field 22 of /proc/PID/stat. A zombie has none: it is dead.
func startTime(pid int) (string, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// The second field is the name in parentheses and may hold spaces and parentheses itself.
	end := strings.LastIndexByte(string(data), ')')
	fields := strings.Fields(string(data[end+1:]))
	const state, start = 0, 19
	if end < 0 || len(fields) <= start {
		return "", fmt.Errorf("/proc/%d/stat is not understood", pid)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return "", fmt.Errorf("process %d is a zombie", pid)
	}
	return fields[start], nil
}

func (s Spec) fingerprint() (string, error) {
	hash := sha256.New()
	info, err := os.Stat(s.Program)
	if err != nil {
		return "", fmt.Errorf("program of %s: %w", s.Name, err)
	}
	fmt.Fprintf(hash, "%q %d %d %q %q\n", s.Program, info.Size(), info.ModTime().UnixNano(), s.Args, s.Env)
	for _, file := range s.Files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("configuration of %s: %w", s.Name, err)
		}
		fmt.Fprintf(hash, "%q %q\n", file, data)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Tail returns the last lines of a log, for error messages.
func Tail(file string, lines int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return "  " + strings.Join(all[max(0, len(all)-lines):], "\n  ")
}
