// Package build brings the machine to the point where the cluster can start: Debian's packages, upstream's
// programs and manifests out of Go modules, and image archives made of them. Everything is done once and kept.
package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// needed says which Debian package gives which program. A program that is there already is not installed again:
// a machine may have it from elsewhere, and Debian's containerd and another vendor's exclude each other.
var needed = []struct{ program, debian string }{
	{"/usr/bin/busybox", "busybox-static"},
	{"/usr/lib/cni/bridge", "containernetworking-plugins"},
	{"containerd", "containerd"},
	{"containerd-shim-runc-v2", "containerd"},
	{"ctr", "containerd"},
	{"ip", "iproute2"},
	{"iptables-save", "iptables"},
	{"losetup", "mount"},
	{"mkfs.ext4", "e2fsprogs"},
	{"runc", "runc"},
}

// Unable is the error of a machine that cannot run the cluster at all, in one sentence.
type Unable struct{ Reason string }

func (u Unable) Error() string { return u.Reason }

// Packages installs what Debian gives. It returns the packages that it installed.
func Packages(ctx context.Context) ([]string, error) {
	if os.Geteuid() != 0 {
		return nil, Unable{"the cluster needs root: it makes mounts, bridges, cgroups and loop devices"}
	}
	missing := missingPackages()
	if len(missing) == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, Unable{fmt.Sprintf("the cluster needs Debian, or these packages' programs: %s", strings.Join(missing, ", "))}
	}
	install := append([]string{"install", "-y", "--no-install-recommends"}, missing...)
	for _, arguments := range [][]string{{"update"}, install} {
		command := exec.CommandContext(ctx, "apt-get", arguments...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if output, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("apt-get %s: %w\n%s", strings.Join(arguments, " "), err, lastLines(output, 10))
		}
	}
	if still := missingPackages(); len(still) > 0 {
		return nil, fmt.Errorf("installed, but their programs are still missing: %s", strings.Join(still, ", "))
	}
	return missing, nil
}

func missingPackages() []string {
	var missing []string
	for _, need := range needed {
		if _, err := exec.LookPath(need.program); err != nil && !slices.Contains(missing, need.debian) {
			missing = append(missing, need.debian)
		}
	}
	return missing
}

func lastLines(output []byte, count int) string {
	lines := strings.Split(strings.TrimRight(string(output), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
