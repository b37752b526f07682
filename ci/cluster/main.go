// Command cluster starts a real Kubernetes on a Debian machine, without Docker, images or a registry, for
// snapready's end-to-end tests. ci/README.md says how to use it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sort"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"snapready/ci/cluster/build"
	"snapready/ci/cluster/layout"
	"snapready/ci/cluster/lifecycle"
)

// Exit codes. A machine that cannot run the cluster is told apart from a cluster that fails: a caller may skip the
// first one, visibly, and never the second.
const (
	exitFailed = 1
	exitUsage  = 2
	exitUnable = 77
)

const usage = `A real Kubernetes for snapready's end-to-end tests, on this machine, as root.

  go run . up [--nodes 1|2]         bring it up, or make it whole again
  go run . down                     remove it from the machine
  go run . status                   what runs, and how much memory it takes
  go run . reset                    an empty cluster, in seconds
  go run . break NAME | --list      put a fault into the control plane (--verify: prove that all can be mended)
  go run . mend NAME | --all        take it out again
  go run . kubeconfig USER [GROUP]  credentials for an ordinary user, on standard output

SNAPREADY_CLUSTER_DIR moves its directory (default ` + layout.DefaultDirectory + `).
`

// command is one subcommand: it gets its own arguments.
type command struct {
	run func(ctx context.Context, cluster lifecycle.Cluster, arguments []string) error
	// changes says that only one such command may run at a time.
	changes bool
}

var commands = map[string]command{
	"up":         {up, true},
	"down":       {down, true},
	"status":     {status, false},
	"reset":      {reset, true},
	"break":      {breakCommand, true},
	"mend":       {mend, true},
	"kubeconfig": {kubeconfig, false},
}

// usageError is a mistake on the command line.
type usageError struct{ message string }

func (u usageError) Error() string { return u.message }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "cluster: "+err.Error())
	var unable build.Unable
	var usage usageError
	switch {
	case errors.As(err, &unable):
		os.Exit(exitUnable)
	case errors.As(err, &usage):
		os.Exit(exitUsage)
	default:
		os.Exit(exitFailed)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 || arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h" {
		fmt.Print(usage)
		return nil
	}
	chosen, known := commands[arguments[0]]
	if !known {
		return usageError{fmt.Sprintf("no command %q; there are: %s", arguments[0], strings.Join(names(), ", "))}
	}
	place, err := layout.FromEnvironment()
	if err != nil {
		return usageError{err.Error()}
	}
	cluster := lifecycle.Cluster{Layout: place, Steps: lifecycle.NewSteps(os.Stdout)}
	if chosen.changes && !slices.Contains(arguments, "--list") {
		if os.Geteuid() != 0 {
			return build.Unable{Reason: "the cluster needs root: it makes mounts, bridges, cgroups and loop devices"}
		}
		unlock, err := lock(place)
		if err != nil {
			return err
		}
		defer unlock()
	}
	return chosen.run(ctx, cluster, arguments[1:])
}

func names() []string {
	all := make([]string, 0, len(commands))
	for name := range commands {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// lock keeps two commands from changing the cluster at once. The kernel gives it back when the command ends.
func lock(place layout.Layout) (func(), error) {
	if err := place.Create(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(place.Lock(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("another command is changing the cluster in %s; wait for it to end", place.Root)
	}
	return func() { file.Close() }, nil
}

func parse(flags *flag.FlagSet, arguments []string) error {
	flags.SetOutput(os.Stderr)
	if err := flags.Parse(arguments); err != nil {
		return usageError{err.Error()}
	}
	return nil
}

func noArguments(name string, arguments []string) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	if err := parse(flags, arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usageError{fmt.Sprintf("%s takes no argument, got %q", name, flags.Arg(0))}
	}
	return nil
}

func up(ctx context.Context, cluster lifecycle.Cluster, arguments []string) error {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	nodes := flags.Int("nodes", 0, "how many nodes the cluster shall have: 1 or 2 (default: as many as it has, or 1)")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return usageError{fmt.Sprintf("up takes no argument, got %q", flags.Arg(0))}
	}
	return cluster.Up(ctx, *nodes)
}

func down(ctx context.Context, cluster lifecycle.Cluster, arguments []string) error {
	if err := noArguments("down", arguments); err != nil {
		return err
	}
	return cluster.Down(ctx)
}

func status(_ context.Context, cluster lifecycle.Cluster, arguments []string) error {
	if err := noArguments("status", arguments); err != nil {
		return err
	}
	whole, err := cluster.Status(os.Stdout)
	if err == nil && !whole {
		return errors.New("the cluster is not whole; `up` mends it")
	}
	return err
}

func kubeconfig(_ context.Context, cluster lifecycle.Cluster, arguments []string) error {
	if len(arguments) == 0 || strings.HasPrefix(arguments[0], "-") {
		return usageError{"kubeconfig USER [GROUP ...]: whose?"}
	}
	data, err := cluster.UserKubeconfig(arguments[0], arguments[1:]...)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(data)
	return err
}

func breakCommand(ctx context.Context, cluster lifecycle.Cluster, arguments []string) error {
	flags := flag.NewFlagSet("break", flag.ContinueOnError)
	list := flags.Bool("list", false, "say which breaks there are")
	verify := flags.Bool("verify", false, "break and mend each in turn, and compare the cluster before and after")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	switch {
	case *list && !*verify && flags.NArg() == 0:
		return lifecycle.Breaks(os.Stdout)
	case *verify && !*list && flags.NArg() == 0:
		return cluster.VerifyBreaks(ctx)
	case *list || *verify || flags.NArg() != 1:
		return usageError{"break NAME, break --list or break --verify"}
	}
	return cluster.Break(ctx, flags.Arg(0))
}

func mend(ctx context.Context, cluster lifecycle.Cluster, arguments []string) error {
	flags := flag.NewFlagSet("mend", flag.ContinueOnError)
	all := flags.Bool("all", false, "mend every break")
	if err := parse(flags, arguments); err != nil {
		return err
	}
	if *all && flags.NArg() == 0 {
		return cluster.MendAll(ctx)
	}
	if *all || flags.NArg() != 1 {
		return usageError{"mend NAME, or mend --all"}
	}
	return cluster.Mend(ctx, flags.Arg(0))
}

func reset(ctx context.Context, cluster lifecycle.Cluster, arguments []string) error {
	if err := noArguments("reset", arguments); err != nil {
		return err
	}
	return cluster.Reset(ctx)
}
