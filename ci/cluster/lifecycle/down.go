package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"snapready/ci/cluster/component"
	"snapready/ci/cluster/host"
	"snapready/ci/cluster/layout"
	"snapready/ci/cluster/process"
)

// stopGrace is short because nothing that a component could still write is kept.
const stopGrace = time.Second

// Down removes the cluster from the machine, whatever state it is in. Built programs and image archives stay.
func (c Cluster) Down(ctx context.Context) error {
	nodes := c.Layout.Nodes(layout.MaxNodes)
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"kubelets", func() error { return c.stopKubelets(ctx, nodes) }},
		{"containers", func() error { return c.endContainers(ctx, nodes) }},
		{"components", func() error { return c.stopComponents(ctx) }},
		{"mounts, loop devices", func() error {
			// Loop devices of mounted volumes detach with their mount, those of raw block volumes do not.
			return errors.Join(host.UnmountBelow(c.Layout.State()), host.DetachLoopsBelow(c.Layout.Volumes()))
		}},
		{"network", func() error { return c.removeNetwork(ctx, nodes) }},
		{"cgroups", func() error { return host.RemoveCgroup(layout.CgroupRoot) }},
		// The files tell which loop devices are the cluster's, so they go last, and only when nothing uses them.
		{"nothing left", func() error { return c.nothingLeft(ctx) }},
		{"files", func() error { return c.removeFiles(nodes) }},
	} {
		if err := c.Steps.Do(step.name, func() (string, error) { return "", step.do() }); err != nil {
			return err
		}
	}
	c.Steps.Done("down", "programs and image archives stay in "+c.Layout.Root)
	return nil
}

// stopKubelets comes first, or they would start again what ends.
func (c Cluster) stopKubelets(ctx context.Context, nodes []layout.Node) error {
	var group errgroup.Group
	for _, node := range nodes {
		group.Go(func() error { return c.table().Stop(ctx, node.Component("kubelet"), stopGrace) })
	}
	return group.Wait()
}

func (c Cluster) stopComponents(ctx context.Context) error {
	records, err := c.table().Records()
	if err != nil {
		return err
	}
	var group errgroup.Group
	for _, record := range records {
		group.Go(func() error { return c.table().Stop(ctx, record.Name, stopGrace) })
	}
	return group.Wait()
}

// endContainers kills the containers by their cgroups, which are the cluster's own, and then their shims.
func (c Cluster) endContainers(ctx context.Context, nodes []layout.Node) error {
	pids, err := host.ProcessesIn(layout.CgroupRoot)
	if err != nil {
		return err
	}
	var group errgroup.Group
	for _, pid := range pids {
		group.Go(func() error { return process.End(ctx, pid, "", 0) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("end a container: %w", err)
	}
	for _, node := range nodes {
		sockets, err := host.ShimSockets(node.ContainerdState())
		if err != nil {
			return err
		}
		shims, err := host.Shims(node.ContainerdSocket())
		if err != nil {
			return err
		}
		for _, shim := range shims {
			if err := process.End(ctx, shim, "", 0); err != nil {
				return fmt.Errorf("end shim %d: %w", shim, err)
			}
		}
		for _, socket := range sockets {
			if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func (c Cluster) removeNetwork(ctx context.Context, nodes []layout.Node) error {
	if _, err := os.Stat(c.Layout.HostRecord()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := host.RemoveChains(ctx); err != nil {
		return err
	}
	if err := host.RemoveCounters(); err != nil {
		return err
	}
	for _, node := range nodes {
		if err := host.RemoveBridge(ctx, node.Bridge()); err != nil {
			return err
		}
	}
	return nil
}

func (c Cluster) removeFiles(nodes []layout.Node) error {
	networks := make([]string, 0, len(nodes))
	for _, node := range nodes {
		networks = append(networks, node.Bridge())
	}
	if err := host.Sweep(c.Layout.State(), networks); err != nil {
		return err
	}
	// The record lies in the state folder: it goes last, and only when it has been used.
	if err := host.Restore(c.Layout.HostRecord()); err != nil {
		return err
	}
	if err := os.Remove(c.Layout.Kubeconfig()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(c.Layout.State())
}

func (c Cluster) nothingLeft(ctx context.Context) error {
	left, err := c.leftovers(ctx)
	if err == nil && len(left) > 0 {
		return fmt.Errorf("still on the machine:\n  %s", strings.Join(left, "\n  "))
	}
	return err
}

// leftovers lists what of the cluster is on the machine beside its files.
func (c Cluster) leftovers(ctx context.Context) ([]string, error) {
	var left []string
	state := c.Layout.State()
	pids, err := host.ProcessesNaming(state)
	if err != nil {
		return nil, err
	}
	contained, err := host.ProcessesIn(layout.CgroupRoot)
	if err != nil {
		return nil, err
	}
	for _, pid := range append(pids, contained...) {
		left = append(left, fmt.Sprintf("process %d", pid))
	}
	mounts, err := host.MountsBelow(state)
	if err != nil {
		return nil, err
	}
	for _, mount := range mounts {
		left = append(left, "mount "+mount)
	}
	loops, err := host.LoopsBelow(c.Layout.Volumes())
	if err != nil {
		return nil, err
	}
	for _, loop := range loops {
		left = append(left, fmt.Sprintf("loop device %s of %s", loop.Device, loop.Backing))
	}
	for _, node := range c.Layout.Nodes(layout.MaxNodes) {
		if host.HasLink(ctx, node.Bridge()) {
			left = append(left, "network interface "+node.Bridge())
		}
	}
	return left, nil
}

// components lists the components of the nodes that there are.
func (c Cluster) components() ([]component.Component, error) {
	count, err := c.nodeCount(0)
	if err != nil {
		return nil, err
	}
	return component.All(c.Layout, c.Layout.Nodes(count)), nil
}
