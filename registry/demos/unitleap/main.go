// Command unitleap converts between units and refuses what does not fit: metres are no kilograms.
package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
)

// Set by the build.
var version = "development"

const help = `Convert between units, with a check that they fit.

usage: unitleap VALUE FROM [to] TO     unitleap 90 km/h m/s
       unitleap UNIT                   what it is in base units
       unitleap --list                 every unit
       unitleap --version

Units are joined by * or a blank, divided by /, and raised by ^2, 2 or ²: kg*m/s^2, "m s-1", km².
Exit code: 0 done, 1 the units do not fit, 2 not understood.
`

func format(value float64) string {
	return strconv.FormatFloat(value, 'g', 10, 64)
}

func run(args []string, out, problems io.Writer) int {
	switch {
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprint(out, help)
		return 0
	case len(args) == 1 && args[0] == "--version":
		fmt.Fprintf(out, "unitleap %s\n", version)
		return 0
	case len(args) == 1 && args[0] == "--list":
		names := make([]string, 0, len(definitions))
		for _, one := range definitions {
			names = append(names, one.names)
		}
		sort.Strings(names)
		fmt.Fprintln(out, strings.Join(append(names, "degC degF"), "\n"))
		return 0
	case len(args) == 1 && args[0] != "":
		unit, err := parse(args[0])
		if err != nil {
			fmt.Fprintf(problems, "unitleap: %v\n", err)
			return 2
		}
		if unit.offset != 0 {
			fmt.Fprintf(out, "1 %s = %s K\n", args[0], format(unit.factor+unit.offset))
			return 0
		}
		fmt.Fprintf(out, "1 %s = %s %s\n", args[0], format(unit.factor), unit.dim)
		return 0
	}
	if len(args) == 4 && args[2] == "to" {
		args = append(args[:2:2], args[3])
	}
	if len(args) != 3 {
		fmt.Fprint(problems, help)
		return 2
	}
	value, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		fmt.Fprintf(problems, "unitleap: %s is no number\n", args[0])
		return 2
	}
	for _, text := range args[1:] {
		if _, err := parse(text); err != nil {
			fmt.Fprintf(problems, "unitleap: %v\n", err)
			return 2
		}
	}
	result, err := convert(value, args[1], args[2])
	if err != nil {
		fmt.Fprintf(problems, "unitleap: %v\n", err)
		return 1
	}
	fmt.Fprintf(out, "%s %s\n", format(result), args[2])
	return 0
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
