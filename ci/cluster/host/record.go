// Package host changes the machine below the cluster, and changes it back: bridges, mounts, cgroups, kernel
// settings, and whatever containers and kubelets leave behind. It touches nothing that is not the cluster's own.
package host

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// settings are the kernel settings that kubelet, kube-proxy and this package change.
var settings = []string{
	"kernel.keys.root_maxbytes",
	"kernel.keys.root_maxkeys",
	"kernel.panic",
	"kernel.panic_on_oops",
	"net.ipv4.conf.all.route_localnet",
	"net.ipv4.ip_forward",
	"vm.overcommit_memory",
	"vm.panic_on_oom",
}

// folders lie outside the cluster's directory because their paths are fixed in kubelet, CNI or containerd.
var folders = []string{
	"/var/lib/kubelet/device-plugins",
	"/var/lib/kubelet",
	"/var/lib/cni/results",
	"/var/lib/cni/cache",
	"/var/lib/cni",
	"/var/log/containers",
	"/var/log/pods",
	"/run/containerd/s",
	"/run/containerd",
	"/run/kubernetes",
	"/run/xtables.lock",
}

// Record is the machine's state before the first change.
type Record struct {
	Settings map[string]string `json:"settings"`
	// Absent lists the folders that did not exist.
	Absent []string `json:"absent"`
}

// Remember writes the record, once: a second `up` must not take the cluster's own settings for the machine's.
func Remember(file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	record := Record{Settings: map[string]string{}}
	for _, name := range settings {
		// A kernel without the setting has nothing to restore.
		if value, err := os.ReadFile(settingFile(name)); err == nil {
			record.Settings[name] = strings.TrimSpace(string(value))
		}
	}
	for _, folder := range folders {
		if _, err := os.Lstat(folder); errors.Is(err, os.ErrNotExist) {
			record.Absent = append(record.Absent, folder)
		}
	}
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// Restore undoes what Remember saw before. No record means that nothing was changed.
func Restore(file string) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var record Record
	if err := json.Unmarshal(data, &record); err != nil {
		return err
	}
	for name, value := range record.Settings {
		now, err := os.ReadFile(settingFile(name))
		if err == nil && strings.TrimSpace(string(now)) == value {
			continue
		}
		if err := os.WriteFile(settingFile(name), []byte(value), 0o644); err != nil {
			return err
		}
	}
	for _, folder := range record.Absent {
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	return nil
}

// Set changes one kernel setting.
func Set(name, value string) error {
	return os.WriteFile(settingFile(name), []byte(value), 0o644)
}

func settingFile(name string) string {
	return "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
}
