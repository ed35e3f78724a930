package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// The base units of the SI, and the radian for angles: exponents of a unit are given in this order.
var bases = [...]string{"m", "kg", "s", "A", "K", "mol", "cd", "rad"}

type dimension [len(bases)]int

// A quantity is a factor to the base units, their exponents, and an offset for temperatures of everyday life.
type quantity struct {
	factor float64
	dim    dimension
	offset float64
}

type definition struct {
	names  string // separated by blanks; the first one takes the prefixes of the SI where prefix is set
	factor float64
	unit   string // what the factor is a multiple of
	prefix bool
}

var definitions = []definition{
	{"m metre metres meter meters", 1, "", true}, {"g gram grams", 1e-3, "kg", true}, {"s sec second seconds", 1, "", true},
	{"A ampere", 1, "", true}, {"K kelvin", 1, "", true}, {"mol", 1, "", true}, {"cd", 1, "", true}, {"rad", 1, "", true},
	{"Hz", 1, "1/s", true}, {"N newton", 1, "kg*m/s^2", true}, {"Pa pascal", 1, "N/m^2", true}, {"J joule", 1, "N*m", true},
	{"W watt", 1, "J/s", true}, {"C coulomb", 1, "A*s", true}, {"V volt", 1, "W/A", true}, {"ohm", 1, "V/A", true},
	{"F farad", 1, "C/V", true}, {"T tesla", 1, "V*s/m^2", true}, {"H henry", 1, "V*s/A", true}, {"eV", 1.602176634e-19, "J", true},
	{"L l litre liter", 1e-3, "m^3", true}, {"bar", 1e5, "Pa", true}, {"cal", 4.184, "J", true}, {"t tonne", 1000, "kg", false},
	{"min minute minutes", 60, "s", false}, {"h hour hours", 3600, "s", false}, {"d day days", 86400, "s", false},
	{"week weeks", 604800, "s", false}, {"year years", 31557600, "s", false}, {"deg", math.Pi / 180, "rad", false},
	{"turn", 2 * math.Pi, "rad", false}, {"inch in", 0.0254, "m", false}, {"ft foot feet", 0.3048, "m", false},
	{"yd yard yards", 0.9144, "m", false}, {"mi mile miles", 1609.344, "m", false}, {"nmi", 1852, "m", false},
	{"au", 149597870700, "m", false}, {"ly", 9460730472580800, "m", false}, {"ha", 1e4, "m^2", false},
	{"acre", 4046.8564224, "m^2", false}, {"gal gallon", 3.785411784e-3, "m^3", false}, {"pint", 0.473176473e-3, "m^3", false},
	{"cup", 236.5882365e-6, "m^3", false}, {"floz", 29.5735295625e-6, "m^3", false}, {"lb pound pounds", 0.45359237, "kg", false},
	{"oz ounce", 28.349523125e-3, "kg", false}, {"stone", 6.35029318, "kg", false}, {"lbf", 4.4482216152605, "N", false},
	{"psi", 6894.757293168361, "Pa", false}, {"atm", 101325, "Pa", false}, {"mmHg", 133.322387415, "Pa", false},
	{"hp", 745.6998715822702, "W", false}, {"BTU", 1055.05585262, "J", false}, {"kn knot knots", 1852.0 / 3600, "m/s", false},
	{"mph", 0.44704, "m/s", false}, {"rpm", 2 * math.Pi / 60, "rad/s", false},
}

var prefixes = map[string]float64{
	"Y": 1e24, "Z": 1e21, "E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "da": 10,
	"d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18,
}

// Temperatures on scales whose zero is elsewhere; they stand alone, since half a degree per metre has no zero.
var scales = map[string]quantity{
	"degC": {factor: 1, offset: 273.15}, "°C": {factor: 1, offset: 273.15}, "celsius": {factor: 1, offset: 273.15},
	"degF": {factor: 5.0 / 9, offset: 459.67 * 5 / 9}, "°F": {factor: 5.0 / 9, offset: 459.67 * 5 / 9},
	"fahrenheit": {factor: 5.0 / 9, offset: 459.67 * 5 / 9},
}

var units = map[string]quantity{}

func init() {
	for at, name := range bases {
		var dim dimension
		dim[at] = 1
		units[name] = quantity{factor: 1, dim: dim}
	}
	for _, one := range definitions {
		names := strings.Fields(one.names)
		base, known := units[names[0]]
		if !known || one.unit != "" {
			parsed, err := parse(one.unit)
			if err != nil {
				panic(err)
			}
			base = quantity{factor: one.factor * parsed.factor, dim: parsed.dim}
		}
		for _, name := range names {
			units[name] = base
		}
		if !one.prefix {
			continue
		}
		for prefix, factor := range prefixes {
			// What is a unit by itself (min, ft) stays one.
			if _, taken := units[prefix+names[0]]; !taken {
				units[prefix+names[0]] = quantity{factor: factor * base.factor, dim: base.dim}
			}
		}
	}
	kelvin := units["K"].dim
	for name, scale := range scales {
		scale.dim = kelvin
		scales[name] = scale
	}
}

// times multiplies a quantity by a unit with an exponent.
func (q quantity) times(unit quantity, exponent int) quantity {
	q.factor *= math.Pow(unit.factor, float64(exponent))
	for at := range q.dim {
		q.dim[at] += unit.dim[at] * exponent
	}
	return q
}

// parse reads `kg*m/s^2`, `m s-1` or `km²`. After a `/` one factor is below the line; parentheses are not known.
func parse(text string) (quantity, error) {
	if scale, ok := scales[strings.TrimSpace(text)]; ok {
		return scale, nil
	}
	result := quantity{factor: 1}
	sign := 1
	runes := []rune(strings.NewReplacer("²", "^2", "³", "^3", "**", "^", "·", "*").Replace(text))
	for at := 0; at < len(runes); {
		char := runes[at]
		switch {
		case char == '*' || unicode.IsSpace(char):
			at++
			continue
		case char == '/':
			sign = -1
			at++
			continue
		case char == '1' && (at+1 == len(runes) || runes[at+1] == '/' || unicode.IsSpace(runes[at+1])):
			at++
			continue
		case !unicode.IsLetter(char) && char != '°':
			return result, fmt.Errorf("%q: did not expect %q", text, string(char))
		}
		start := at
		for at < len(runes) && (unicode.IsLetter(runes[at]) || runes[at] == '°') {
			at++
		}
		name := string(runes[start:at])
		unit, ok := units[name]
		if !ok {
			if _, scale := scales[name]; scale {
				return result, fmt.Errorf("%s stands alone: use K for differences", name)
			}
			return result, fmt.Errorf("unknown unit %s", name)
		}
		if at < len(runes) && runes[at] == '^' {
			at++
		}
		start = at
		for at < len(runes) && (unicode.IsDigit(runes[at]) || at == start && runes[at] == '-') {
			at++
		}
		exponent := 1
		if start < at {
			var err error
			if exponent, err = strconv.Atoi(string(runes[start:at])); err != nil {
				return result, fmt.Errorf("%q: %q is no exponent", text, string(runes[start:at]))
			}
		}
		if exponent > 12 || exponent < -12 {
			return result, fmt.Errorf("%q: an exponent of %d is too large", text, exponent)
		}
		result = result.times(unit, sign*exponent)
		sign = 1
	}
	return result, nil
}

// String names a dimension in base units: kg m s-2.
func (dim dimension) String() string {
	var parts []string
	for at, exponent := range dim {
		switch {
		case exponent == 1:
			parts = append(parts, bases[at])
		case exponent != 0:
			parts = append(parts, fmt.Sprintf("%s%d", bases[at], exponent))
		}
	}
	if len(parts) == 0 {
		return "a plain number"
	}
	return strings.Join(parts, " ")
}

// convert says how many of unit `to` the value in unit `from` is.
func convert(value float64, from, to string) (float64, error) {
	source, err := parse(from)
	if err != nil {
		return 0, err
	}
	target, err := parse(to)
	if err != nil {
		return 0, err
	}
	if source.dim != target.dim {
		return 0, fmt.Errorf("%s is %s, and %s is %s", from, source.dim, to, target.dim)
	}
	return (value*source.factor + source.offset - target.offset) / target.factor, nil
}
