package host

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Shims lists the processes that hold the containers of the containerd behind a socket. They outlive containerd,
// which keeps no record of their pids; their own arguments say whose they are.
func Shims(socket string) ([]int, error) {
	return processes(func(arguments []string) bool {
		if len(arguments) == 0 || !strings.HasPrefix(filepath.Base(arguments[0]), "containerd-shim") {
			return false
		}
		index := slices.Index(arguments, "-address")
		return index >= 0 && index+1 < len(arguments) && arguments[index+1] == socket
	})
}

// ProcessesNaming lists the processes with an argument at or below a folder.
func ProcessesNaming(folder string) ([]int, error) {
	return processes(func(arguments []string) bool {
		return slices.ContainsFunc(arguments, func(argument string) bool { return strings.Contains(argument, folder+"/") })
	})
}

func processes(wanted func(arguments []string) bool) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// An empty answer is a kernel thread or a zombie.
		data, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil || len(data) == 0 {
			continue
		}
		if wanted(strings.Split(string(bytes.TrimRight(data, "\x00")), "\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// ShimSockets lists the sockets of the shims whose bundles lie below a containerd's state folder.
func ShimSockets(containerdState string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(containerdState, "io.containerd.runtime.v2.task", "*", "*", "address"))
	if err != nil {
		return nil, err
	}
	var sockets []string
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			sockets = append(sockets, strings.TrimPrefix(strings.TrimSpace(string(data)), "unix://"))
		}
	}
	return sockets, nil
}

// Sweep removes the cluster's files from folders that it shares with others: log links of the kubelet that point
// below the given folder, and CNI results of the given networks.
func Sweep(folder string, networks []string) error {
	links, err := filepath.Glob("/var/log/containers/*")
	if err != nil {
		return err
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, folder+"/") {
			if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	for _, network := range networks {
		results, err := filepath.Glob("/var/lib/cni/results/" + network + "-*")
		if err != nil {
			return err
		}
		for _, result := range results {
			if err := os.Remove(result); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
