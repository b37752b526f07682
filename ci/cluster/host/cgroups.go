package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

const cgroupMount = "/sys/fs/cgroup"

// hierarchies lists where cgroups can be made: one place with cgroup v2, one per controller with v1.
func hierarchies() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		folder := filepath.Join(cgroupMount, entry.Name())
		if _, err := os.Stat(filepath.Join(folder, "cgroup.procs")); err == nil {
			found = append(found, folder)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no cgroups below %s: the kubelet cannot run here", cgroupMount)
	}
	return found, nil
}

// CreateCgroup makes a cgroup in every hierarchy: a kubelet wants the one that it is rooted in to exist.
func CreateCgroup(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		parent := root
		for _, part := range strings.Split(strings.Trim(name, "/"), "/") {
			folder := filepath.Join(parent, part)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
			// A new v1 cpuset is empty, and an empty one takes no process.
			for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
				if err := inherit(parent, folder, file); err != nil {
					return err
				}
			}
			parent = folder
		}
	}
	return nil
}

func inherit(parent, child, file string) error {
	value, err := os.ReadFile(filepath.Join(child, file))
	if err != nil || strings.TrimSpace(string(value)) != "" {
		return nil
	}
	value, err = os.ReadFile(filepath.Join(parent, file))
	if err != nil || strings.TrimSpace(string(value)) == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(child, file), value, 0o644)
}

// cgroupsBelow lists the cgroups at and below a name in all hierarchies, the deepest first.
func cgroupsBelow(name string) ([]string, error) {
	roots, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, root := range roots {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && entry.IsDir() {
				found = append(found, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return len(found[i]) > len(found[j]) })
	return found, nil
}

// ProcessesIn lists the processes in a cgroup and below it: those of the containers.
func ProcessesIn(name string) ([]int, error) {
	groups, err := cgroupsBelow(name)
	if err != nil {
		return nil, err
	}
	seen := map[int]bool{}
	var pids []int
	for _, group := range groups {
		data, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil && !seen[pid] {
				seen[pid] = true
				pids = append(pids, pid)
			}
		}
	}
	return pids, nil
}

// RemoveCgroup removes an empty cgroup and all below it.
func RemoveCgroup(name string) error {
	groups, err := cgroupsBelow(name)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := os.Remove(group); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove cgroup %s: %w", group, err)
		}
	}
	return nil
}
