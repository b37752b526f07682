package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"snapready/ci/cluster/apply"
	"snapready/ci/cluster/build"
	"snapready/ci/cluster/component"
	"snapready/ci/cluster/host"
	"snapready/ci/cluster/layout"
	"snapready/ci/cluster/objects"
	"snapready/ci/cluster/process"
	"snapready/ci/cluster/reset"
)

// Cluster is what the commands work on.
type Cluster struct {
	Layout layout.Layout
	Steps  *Steps
}

func (c Cluster) table() process.Table { return process.Table{Directory: c.Layout.Run()} }

// Up brings the cluster up, or makes it whole again. Nodes is how many it shall have; 0 keeps the number that it
// has, or makes one.
func (c Cluster) Up(ctx context.Context, nodes int) error {
	count, err := c.nodeCount(nodes)
	if err != nil {
		return err
	}
	versions, archives, err := c.build(ctx)
	if err != nil {
		return err
	}
	members := c.Layout.Nodes(count)
	if err := c.Steps.Do("machine", func() (string, error) { return "", c.prepareHost(ctx, members) }); err != nil {
		return err
	}
	if err := c.startBelowKubelets(ctx, members, archives); err != nil {
		return err
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	params, err := c.params(versions)
	if err != nil {
		return err
	}
	standard, err := objects.Standard(params)
	if err != nil {
		return err
	}
	if err := c.startKubelets(ctx, members, api, standard); err != nil {
		return err
	}
	if err := c.Steps.Do("settled", func() (string, error) { return "", apply.Settle(ctx, api, standard, nil) }); err != nil {
		return err
	}
	if err := c.recordBaseline(ctx, api); err != nil {
		return err
	}
	c.Steps.Done("up", fmt.Sprintf("%d node(s), Kubernetes %s, KUBECONFIG=%s, kubectl: %s",
		count, versions.Kubernetes, c.Layout.Kubeconfig(), c.Layout.Kubectl()))
	return nil
}

func (c Cluster) nodeCount(wanted int) (int, error) {
	if wanted < 0 || wanted > layout.MaxNodes {
		return 0, fmt.Errorf("--nodes %d: 1 or %d", wanted, layout.MaxNodes)
	}
	var has int
	for _, node := range c.Layout.Nodes(layout.MaxNodes) {
		if _, err := os.Stat(node.Containerd()); err == nil {
			has++
		}
	}
	if wanted != 0 && wanted < has {
		return 0, fmt.Errorf("--nodes %d: the cluster has %d nodes already; `down` first", wanted, has)
	}
	return max(wanted, has, 1), nil
}

func (c Cluster) build(ctx context.Context) (versions build.Versions, archives []build.Archive, err error) {
	if err := c.Layout.Create(); err != nil {
		return versions, nil, err
	}
	source, err := build.FindSource(ctx)
	if err != nil {
		return versions, nil, err
	}
	builder := build.Builder{Source: source, Layout: c.Layout}
	err = c.Steps.Do("packages", func() (string, error) {
		installed, err := build.Packages(ctx)
		return strings.Join(installed, " "), err
	})
	if err != nil {
		return versions, nil, err
	}
	err = c.Steps.Do("upstream's programs", func() (string, error) {
		var built bool
		if versions, built, err = builder.Upstream(ctx); err != nil || built {
			return "built", err
		}
		return "kept", nil
	})
	if err != nil {
		return versions, nil, err
	}
	if err := c.Steps.Do("own programs", func() (string, error) { return "", builder.Own(ctx) }); err != nil {
		return versions, nil, err
	}
	err = c.Steps.Do("image archives", func() (string, error) {
		archives, err = builder.Images(ctx, versions)
		return "", err
	})
	return versions, archives, err
}

func (c Cluster) prepareHost(ctx context.Context, nodes []layout.Node) error {
	if _, err := os.Stat(c.Layout.HostRecord()); errors.Is(err, os.ErrNotExist) && host.HasLink(ctx, nodes[0].Bridge()) {
		return fmt.Errorf("the network interface %s exists, but not by this cluster's doing: is one up from another directory (%s)?",
			nodes[0].Bridge(), layout.DirectoryVariable)
	}
	if err := host.Remember(c.Layout.HostRecord()); err != nil {
		return err
	}
	if err := host.Set("net.ipv4.ip_forward", "1"); err != nil {
		return err
	}
	if err := host.ShareMount(c.Layout.Kubelets()); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Layout.Volumes(), 0o755); err != nil {
		return err
	}
	for _, node := range nodes {
		if err := host.CreateBridge(ctx, node.Bridge(), node.Address()); err != nil {
			return err
		}
		if err := host.CreateCgroup(node.Cgroup()); err != nil {
			return err
		}
		for _, folder := range []string{node.Kubelet(), node.Containerd(), node.ContainerdState(), node.PodLogs()} {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
	}
	return component.Configure(c.Layout, nodes)
}

// startBelowKubelets starts everything that the kubelets need: the control plane, and containers with their images.
func (c Cluster) startBelowKubelets(ctx context.Context, nodes []layout.Node, archives []build.Archive) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := c.start(ctx, component.Etcd(c.Layout)); err != nil {
			return err
		}
		if err := c.start(ctx, component.APIServer(c.Layout)); err != nil {
			return err
		}
		var rest errgroup.Group
		for _, each := range []component.Component{
			component.ControllerManager(c.Layout), component.Scheduler(c.Layout),
		} {
			rest.Go(func() error { return c.start(ctx, each) })
		}
		return rest.Wait()
	})
	for _, node := range nodes {
		group.Go(func() error {
			if err := c.start(ctx, component.Containerd(c.Layout, node)); err != nil {
				return err
			}
			return c.Steps.Do("images on "+node.Name(), func() (string, error) {
				imported, err := component.ImportImages(ctx, node, archives)
				return fmt.Sprintf("%d imported", imported), err
			})
		})
	}
	return group.Wait()
}

func (c Cluster) startKubelets(ctx context.Context, nodes []layout.Node, api *apply.Cluster, standard []*unstructured.Unstructured) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, node := range nodes {
		group.Go(func() error {
			began := time.Now()
			started, err := c.startComponent(ctx, component.Kubelet(c.Layout, node))
			if err != nil {
				return err
			}
			if !started {
				began = time.Time{}
			}
			err = c.Steps.Do(node.Name()+" Ready", func() (string, error) {
				return "", waitForNode(ctx, api.Kube, node.Name(), began)
			})
			if err != nil || node != nodes[0] {
				return err
			}
			// It looks its own Node object up when it starts, and waits half a minute for one that is not there.
			return c.start(ctx, component.Proxy(c.Layout))
		})
	}
	group.Go(func() error {
		return c.Steps.Do("objects", func() (string, error) {
			return fmt.Sprintf("%d", len(standard)), apply.Apply(ctx, api, standard, nil)
		})
	})
	return group.Wait()
}

func (c Cluster) start(ctx context.Context, each component.Component) error {
	_, err := c.startComponent(ctx, each)
	return err
}

func (c Cluster) startComponent(ctx context.Context, each component.Component) (started bool, err error) {
	err = c.Steps.Do(each.Name, func() (string, error) {
		if started, err = each.Start(ctx, c.table()); err != nil || started {
			return "", err
		}
		return "runs already", nil
	})
	return started, err
}

// connect makes the administrator's clients.
func (c Cluster) connect() (*apply.Cluster, error) {
	configuration, err := component.ClientConfig(c.Layout)
	if err != nil {
		return nil, err
	}
	return apply.Connect(configuration)
}

func (c Cluster) params(versions build.Versions) (objects.Params, error) {
	names, err := build.Builder{Layout: c.Layout}.Names(versions)
	return objects.Params{
		Upstream: c.Layout.Upstream(),
		Kubelets: c.Layout.Kubelets(),
		Data:     c.Layout.Volumes(),
		Images:   names,
	}, err
}

// recordBaseline remembers the objects of a cluster that nobody used yet: what `reset` goes back to.
func (c Cluster) recordBaseline(ctx context.Context, api *apply.Cluster) error {
	if _, err := os.Stat(c.Layout.Baseline()); err == nil {
		return nil
	}
	baseline, err := reset.Record(ctx, api)
	if err != nil {
		return err
	}
	data, err := json.Marshal(baseline)
	if err != nil {
		return err
	}
	return os.WriteFile(c.Layout.Baseline(), data, 0o644)
}

// UserKubeconfig makes a kubeconfig for an ordinary user of the cluster.
func (c Cluster) UserKubeconfig(user string, groups ...string) ([]byte, error) {
	return component.UserKubeconfig(c.Layout, user, groups...)
}
