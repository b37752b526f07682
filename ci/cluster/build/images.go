package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"snapready/ci/cluster/image"
	"snapready/ci/cluster/objects"
)

// Image names as pods use them. Upstream's are real, because snapready reads names and tags.
const (
	ImagePause   = "registry.k8s.io/pause:3.10.1"
	ImageBusybox = "docker.io/library/busybox:1.36"
)

// Names are the names of the images in the standard objects. The driver's has a tag that changes with its content, so
// that a changed driver replaces the pods of the old one. Images has to have been called before.
func (b Builder) Names(versions Versions) (objects.Images, error) {
	driver, err := os.ReadFile(b.driverName())
	if err != nil {
		return objects.Images{}, fmt.Errorf("the images are not built yet; `up` builds them: %w", err)
	}
	names := upstreamNames(versions)
	names.Driver = string(driver)
	return names, nil
}

func (b Builder) driverName() string { return filepath.Join(b.Layout.Images(), "driver-name") }

func upstreamNames(versions Versions) objects.Images {
	return objects.Images{
		SnapshotController: "registry.k8s.io/sig-storage/snapshot-controller:" + versions.Snapshotter,
		Snapshotter:        "registry.k8s.io/sig-storage/csi-snapshotter:" + versions.Snapshotter,
		Provisioner:        "registry.k8s.io/sig-storage/csi-provisioner:" + versions.Provisioner,
	}
}

// Archive is an image archive on disk.
type Archive struct {
	Reference string
	File      string
	// Inputs changes with the image's definition and the content of every file in it.
	Inputs string
}

// Images writes the archives that are missing or made of something else, and returns all of them.
func (b Builder) Images(ctx context.Context, versions Versions) ([]Archive, error) {
	images, err := b.images(ctx, versions)
	if err != nil {
		return nil, err
	}
	var archives []Archive
	for _, each := range images {
		inputs, err := each.Fingerprint()
		if err != nil {
			return nil, err
		}
		// Without the tag, so that a new driver replaces the old one's archive.
		name, _, _ := strings.Cut(each.Reference, ":")
		file := filepath.Join(b.Layout.Images(), strings.ReplaceAll(name, "/", "_")+".tar")
		archives = append(archives, Archive{each.Reference, file, inputs})
		stamp := file + ".inputs"
		if written, err := os.ReadFile(stamp); err == nil && string(written) == inputs {
			continue
		}
		if err := each.Write(file); err != nil {
			return nil, err
		}
		if err := os.WriteFile(stamp, []byte(inputs), 0o644); err != nil {
			return nil, err
		}
	}
	return archives, nil
}

func (b Builder) images(ctx context.Context, versions Versions) ([]image.Image, error) {
	busybox, err := busyboxImage(ctx)
	if err != nil {
		return nil, err
	}
	names := upstreamNames(versions)
	driver, err := driverImage(ctx, busybox, b.Layout.Program("snapready-csi-driver"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.Layout.Images(), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.driverName(), []byte(driver.Reference), 0o644); err != nil {
		return nil, err
	}
	single := func(reference, program string) image.Image {
		return image.Image{
			Reference:  reference,
			Entrypoint: []string{"/" + program},
			Files:      map[string]string{"/" + program: b.Layout.Program(program)},
		}
	}
	return []image.Image{
		single(ImagePause, "pause"),
		single(names.SnapshotController, "snapshot-controller"),
		single(names.Snapshotter, "csi-snapshotter"),
		single(names.Provisioner, "csi-provisioner"),
		busybox,
		driver,
	}, nil
}

func busyboxImage(ctx context.Context) (image.Image, error) {
	program, err := exec.LookPath("busybox")
	if err != nil {
		return image.Image{}, err
	}
	applets, err := exec.CommandContext(ctx, program, "--list").Output()
	if err != nil {
		return image.Image{}, fmt.Errorf("busybox --list: %w", err)
	}
	made := image.Image{
		Reference:   ImageBusybox,
		Command:     []string{"sh"},
		Files:       map[string]string{"/bin/busybox": program},
		Links:       map[string]string{},
		Directories: map[string]int64{"/tmp": 0o1777, "/root": 0o700, "/var/tmp": 0o1777},
		Texts: map[string]string{
			"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
			"/etc/group":  "root:x:0:\nnobody:x:65534:\n",
		},
	}
	for _, applet := range strings.Fields(string(applets)) {
		if applet != "busybox" {
			made.Links["/bin/"+applet] = "busybox"
		}
	}
	return made, nil
}

// filesystemTools are what the driver calls; busybox has none that formats, checks or grows ext4.
var filesystemTools = []string{"mkfs.ext4", "e2fsck", "resize2fs"}

func driverImage(ctx context.Context, busybox image.Image, driver string) (image.Image, error) {
	made := image.Image{
		Entrypoint:  []string{"/snapready-csi-driver"},
		Files:       map[string]string{"/bin/busybox": busybox.Files["/bin/busybox"], "/snapready-csi-driver": driver},
		Links:       map[string]string{"/bin/sh": "busybox"},
		Directories: map[string]int64{"/tmp": 0o1777, "/run": 0o755},
	}
	for _, tool := range filesystemTools {
		program, err := exec.LookPath(tool)
		if err != nil {
			return image.Image{}, err
		}
		made.Files["/sbin/"+tool] = program
		libraries, err := sharedLibraries(ctx, program)
		if err != nil {
			return image.Image{}, err
		}
		for _, library := range libraries {
			made.Files[library] = library
		}
	}
	// mkfs.ext4 takes its defaults from there.
	made.Files["/etc/mke2fs.conf"] = "/etc/mke2fs.conf"
	content, err := made.Fingerprint()
	if err != nil {
		return image.Image{}, err
	}
	made.Reference = "snapready.test/csi-driver:" + content[:12]
	return made, nil
}

var libraryPath = regexp.MustCompile(`(?m)(/\S+) \(0x[0-9a-f]+\)$`)

// sharedLibraries asks the dynamic linker, which is in the list itself.
func sharedLibraries(ctx context.Context, program string) ([]string, error) {
	output, err := exec.CommandContext(ctx, "ldd", program).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w", program, err)
	}
	var libraries []string
	for _, match := range libraryPath.FindAllStringSubmatch(string(output), -1) {
		libraries = append(libraries, match[1])
	}
	return libraries, nil
}
