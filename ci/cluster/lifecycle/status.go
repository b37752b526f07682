package lifecycle

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"snapready/ci/cluster/host"
	"snapready/ci/cluster/layout"
)

// Status prints every component with its pid, its memory and what is wrong with it. It says whether all is well.
func (c Cluster) Status(out io.Writer) (bool, error) {
	components, err := c.components()
	if err != nil {
		return false, err
	}
	whole := true
	var total int
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COMPONENT\tPID\tMiB\tSTATE")
	for _, each := range components {
		record, alive := c.table().Living(each.Name)
		if !alive {
			whole = false
			fmt.Fprintf(table, "%s\t-\t-\tdoes not run\n", each.Name)
			continue
		}
		state := "ready"
		if err := each.Probe(); err != nil {
			whole = false
			state = err.Error()
		}
		memory := memoryOf(record.Pid)
		total += memory
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", each.Name, record.Pid, memory>>10, state)
	}
	containers, err := c.containerProcesses()
	if err != nil {
		return false, err
	}
	var memory int
	for _, pid := range containers {
		memory += memoryOf(pid)
	}
	fmt.Fprintf(table, "containers and shims\t%d processes\t%d\t\n", len(containers), memory>>10)
	fmt.Fprintf(table, "all\t\t%d\t\n", (total+memory)>>10)
	return whole, table.Flush()
}

func (c Cluster) containerProcesses() ([]int, error) {
	pids, err := host.ProcessesIn(layout.CgroupRoot)
	if err != nil {
		return nil, err
	}
	for _, node := range c.Layout.Nodes(layout.MaxNodes) {
		shims, err := host.Shims(node.ContainerdSocket())
		if err != nil {
			return nil, err
		}
		pids = append(pids, shims...)
	}
	return pids, nil
}

// memoryOf is a process's proportional share in KiB: pages that several share are counted once in a sum.
func memoryOf(pid int) int {
	file, err := os.Open("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return 0
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) >= 2 && fields[0] == "Pss:" {
			kib, _ := strconv.Atoi(fields[1])
			return kib
		}
	}
	return 0
}
