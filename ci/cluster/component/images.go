package component

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"snapready/ci/cluster/build"
	"snapready/ci/cluster/layout"
)

// ImportImages gives a node's containerd the images that it does not have yet, and returns how many those were.
func ImportImages(ctx context.Context, node layout.Node, archives []build.Archive) (int, error) {
	var imported int
	for _, archive := range archives {
		// containerd's store goes away with the cluster's state, and so does this mark.
		mark := filepath.Join(node.Containerd(), "imported", filepath.Base(archive.File))
		if inputs, err := os.ReadFile(mark); err == nil && string(inputs) == archive.Inputs {
			continue
		}
		if err := ctr(ctx, node, "images", "import", archive.File); err != nil {
			return imported, err
		}
		// Without this label the kubelet does not see the image.
		if err := ctr(ctx, node, "images", "label", archive.Reference, "io.cri-containerd.image=managed"); err != nil {
			return imported, err
		}
		if err := write(mark, []byte(archive.Inputs), 0o644); err != nil {
			return imported, err
		}
		imported++
	}
	return imported, nil
}

func ctr(ctx context.Context, node layout.Node, arguments ...string) error {
	arguments = append([]string{"--address", node.ContainerdSocket(), "--namespace", "k8s.io"}, arguments...)
	if output, err := exec.CommandContext(ctx, "ctr", arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("ctr %s: %w: %s", strings.Join(arguments[4:], " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
