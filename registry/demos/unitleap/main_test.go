package main

import (
	"math"
	"strings"
	"testing"
)

func TestKnownAnswers(t *testing.T) {
	for _, one := range []struct {
		value    float64
		from, to string
		want     float64
	}{
		{36, "km/h", "m/s", 10}, {1, "mi", "km", 1.609344}, {100, "degC", "degF", 212}, {-40, "°F", "°C", -40},
		{0, "K", "degC", -273.15}, {1, "kWh", "J", math.NaN()}, {1, "kW*h", "MJ", 3.6}, {2.5, "m²", "cm^2", 25000},
		{1, "m s-2", "km/h^2", 12960}, {1, "psi", "Pa", 6894.757293168361}, {1, "V*A", "W", 1}, {180, "deg", "rad", math.Pi},
		{1, "min", "s", 60}, {1, "1/s", "Hz", 1}, {3000, "rpm", "turn/s", 50}, {1, "g", "kg", 0.001},
	} {
		got, err := convert(one.value, one.from, one.to)
		if math.IsNaN(one.want) {
			if err == nil {
				t.Errorf("%s was understood", one.from)
			}
			continue
		}
		if err != nil || math.Abs(got-one.want) > 1e-9*math.Max(1, math.Abs(one.want)) {
			t.Errorf("%g %s = %g %s, want %g (%v)", one.value, one.from, got, one.to, one.want, err)
		}
	}
}

func TestThereAndBack(t *testing.T) {
	for name, unit := range units {
		base := unit.dim.String()
		if base == "a plain number" {
			continue
		}
		there, err := convert(7, name, base)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		back, err := convert(there, base, name)
		if err != nil || math.Abs(back-7) > 1e-9 {
			t.Errorf("%s: 7 became %g (%v)", name, back, err)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, one := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"90", "km/h", "to", "m/s"}, 0, "25 m/s\n"},
		{[]string{"N"}, 0, "1 N = 1 m kg s-2\n"},
		{[]string{"1", "kg", "m"}, 1, "kg is kg, and m is m"},
		{[]string{"1", "furlong", "m"}, 2, "unknown unit furlong"},
		{[]string{"1", "degC/m", "K/m"}, 2, "stands alone"},
		{[]string{"x", "m", "m"}, 2, "no number"},
		{[]string{"1", "m^99", "m^99"}, 2, "too large"},
		{nil, 2, "usage"},
	} {
		var out, problems strings.Builder
		if code := run(one.args, &out, &problems); code != one.code || !strings.Contains(out.String()+problems.String(), one.want) {
			t.Errorf("%v: exit code %d, %q %q", one.args, code, out.String(), problems.String())
		}
	}
}
