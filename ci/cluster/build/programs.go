package build

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
	"strings"

	"snapready/ci/cluster/layout"
)

// Upstream modules by role. Their versions stand in go.mod and nowhere else.
const (
	moduleKubernetes  = "k8s.io/kubernetes"
	moduleSnapshotter = "github.com/kubernetes-csi/external-snapshotter/v8"
	moduleCRDs        = "github.com/kubernetes-csi/external-snapshotter/client/v8"
	moduleProvisioner = "github.com/kubernetes-csi/external-provisioner/v6"
)

// The project's own programs, by the name that they get.
var own = map[string]string{
	"cluster":              ".",
	"pause":                "./pause",
	"snapready-csi-driver": "./driver",
}

// Versions are those of the modules that go.mod chose, with their leading "v".
type Versions struct {
	Kubernetes  string
	Snapshotter string
	Provisioner string
}

type module struct {
	Path    string
	Version string
	Dir     string
}

// Builder builds from the Go module in Source.
type Builder struct {
	Source string
	Layout layout.Layout
}

// FindSource walks up from the working directory to this Go module.
func FindSource(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "snapready/ci/cluster").Output()
	if err != nil {
		return "", errors.New("run it from ci/cluster: `go run -C ci/cluster . up` (the Go module snapready/ci/cluster was not found)")
	}
	return strings.TrimSpace(string(output)), nil
}

func (b Builder) run(ctx context.Context, name string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = b.Source
	// Static programs, because they run in images that hold nothing else.
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false")
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(arguments[:min(2, len(arguments))], " "), err, lastLines([]byte(stderr.String()), 20))
	}
	return output, nil
}

func (b Builder) modules(ctx context.Context) (map[string]module, error) {
	output, err := b.run(ctx, "go", "list", "-m", "-json=Path,Version,Dir", moduleKubernetes, moduleSnapshotter, moduleCRDs, moduleProvisioner)
	if err != nil {
		return nil, err
	}
	modules := map[string]module{}
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	for decoder.More() {
		var found module
		if err := decoder.Decode(&found); err != nil {
			return nil, err
		}
		modules[found.Path] = found
	}
	return modules, nil
}

// Upstream builds upstream's programs and copies upstream's manifests, unless go.mod, the compiler and the flags
// are those of the last time. It says whether it had to build.
func (b Builder) Upstream(ctx context.Context) (Versions, bool, error) {
	stampFile := filepath.Join(b.Layout.Programs(), ".upstream")
	inputs, err := b.upstreamInputs(ctx)
	if err != nil {
		return Versions{}, false, err
	}
	var stamp struct {
		Inputs   string
		Versions Versions
	}
	if data, err := os.ReadFile(stampFile); err == nil && json.Unmarshal(data, &stamp) == nil && stamp.Inputs == inputs {
		return stamp.Versions, false, nil
	}
	if _, err := b.run(ctx, "go", "mod", "download"); err != nil {
		return Versions{}, false, err
	}
	modules, err := b.modules(ctx)
	if err != nil {
		return Versions{}, false, err
	}
	versions := Versions{
		Kubernetes:  modules[moduleKubernetes].Version,
		Snapshotter: modules[moduleSnapshotter].Version,
		Provisioner: modules[moduleProvisioner].Version,
	}
	if err := b.buildUpstream(ctx, versions); err != nil {
		return Versions{}, false, err
	}
	if err := b.copyManifests(modules); err != nil {
		return Versions{}, false, err
	}
	stamp.Inputs, stamp.Versions = inputs, versions
	data, err := json.Marshal(stamp)
	if err != nil {
		return Versions{}, false, err
	}
	return versions, true, os.WriteFile(stampFile, data, 0o644)
}

func (b Builder) upstreamInputs(ctx context.Context) (string, error) {
	version, err := b.run(ctx, "go", "env", "GOVERSION", "GOARCH")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %q\n", version, upstreamFlags(Versions{}))
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(b.Source, name))
		if err != nil {
			return "", err
		}
		hash.Write(data)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// upstreamFlags sets the versions that the programs report: snapready reads them.
func upstreamFlags(versions Versions) []string {
	numbers := append(strings.SplitN(strings.TrimPrefix(versions.Kubernetes, "v"), ".", 3), "", "")
	var kubernetes strings.Builder
	for _, target := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, setting := range []string{
			"gitVersion=" + versions.Kubernetes, "gitMajor=" + numbers[0], "gitMinor=" + numbers[1],
			"gitCommit=" + versions.Kubernetes, "gitTreeState=archive", "buildDate=1970-01-01T00:00:00Z",
		} {
			fmt.Fprintf(&kubernetes, " -X %s.%s", target, setting)
		}
	}
	return []string{
		"-trimpath",
		"-ldflags=-s -w" + kubernetes.String(),
		"-ldflags=" + moduleSnapshotter + "/...=-s -w -X main.version=" + versions.Snapshotter,
		"-ldflags=" + moduleProvisioner + "/...=-s -w -X main.version=" + versions.Provisioner,
	}
}

func (b Builder) buildUpstream(ctx context.Context, versions Versions) error {
	if err := os.MkdirAll(b.Layout.Programs(), 0o755); err != nil {
		return err
	}
	// "tool" is every tool directive of go.mod.
	arguments := append([]string{"build", "-o", b.Layout.Programs() + "/"}, upstreamFlags(versions)...)
	if _, err := b.run(ctx, "go", append(arguments, "tool")...); err != nil {
		return err
	}
	// The last path element of etcd's package, and so the name that Go gives the program, is "server".
	if err := os.Rename(b.Layout.Program("server"), b.Layout.Program("etcd")); err != nil {
		return err
	}
	return replaceLink(b.Layout.Program("kubectl"), b.Layout.Kubectl())
}

func (b Builder) copyManifests(modules map[string]module) error {
	copies := []struct{ module, from, to string }{
		{moduleCRDs, "config/crd", "crd"},
		{moduleSnapshotter, "deploy/kubernetes/snapshot-controller", "snapshot-controller"},
		{moduleSnapshotter, "deploy/kubernetes/csi-snapshotter", "csi-snapshotter"},
		{moduleProvisioner, "deploy/kubernetes", "csi-provisioner"},
	}
	if err := os.RemoveAll(b.Layout.Upstream()); err != nil {
		return err
	}
	for _, each := range copies {
		target := filepath.Join(b.Layout.Upstream(), each.to)
		if err := os.CopyFS(target, os.DirFS(filepath.Join(modules[each.module].Dir, each.from))); err != nil {
			return fmt.Errorf("manifests of %s: %w", each.module, err)
		}
	}
	return nil
}

// Own builds the project's own programs. Go's cache makes this fast when nothing changed.
func (b Builder) Own(ctx context.Context) error {
	for name, folder := range own {
		if _, err := b.run(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.Layout.Program(name), folder); err != nil {
			return err
		}
	}
	return nil
}

func replaceLink(target, link string) error {
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(target, link)
}
