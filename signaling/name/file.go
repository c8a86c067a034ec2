package name

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxFile is how long the name of a file may be, in bytes of UTF-8: what every file
// system takes, with room for what a browser adds to it.
const MaxFile = 180

// maxTypedFile is beyond what any system calls a file, in bytes.
const maxTypedFile = 4 << 10

// FileName is the name of a file as it is kept, and what it does to whoever opens it.
type FileName struct {
	Name string
	// Kind is what follows the last dot, in lower case; "": nothing does.
	Kind string
	// Suspicious: the name could deceive the eye or reach elsewhere as it was sent.
	Suspicious bool
	// Risky: systems run files of this kind, or what is in them.
	Risky bool
}

// File returns a name under which a file may be kept anywhere. Folders before it are
// left out, characters that no system takes, that nobody sees or that reorder others
// become "_", and what is too long is cut before its kind; then it is marked, so that
// nobody is misled by the mended name either. Invalid UTF-8 and a name of nothing are
// refused.
func File(field, typed string) (FileName, error) {
	switch {
	case len(typed) > maxTypedFile:
		return FileName{}, &Error{At: field, Reason: fmt.Sprintf("is longer than %d bytes", maxTypedFile), Code: CodeTooLong}
	case !utf8.ValidString(typed):
		return FileName{}, &Error{At: field, Reason: "is not valid UTF-8", Code: CodeUnshowable}
	}
	composed := norm.NFC.String(typed)
	kept := composed[strings.LastIndexAny(composed, `/\`)+1:]
	kept = strings.Map(func(r rune) rune {
		if refused(r) || hidden(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, kept)
	// Rows of spaces push the kind out of sight; spaces and dots at the end are lost on
	// some systems, and with them what the kind was thought to be.
	kept = shortened(strings.TrimRight(evenly(kept), ". "))
	if !strings.ContainsFunc(strings.ReplaceAll(kept, "_", ""), visible) || strings.Trim(kept, ".") == "" {
		return FileName{}, &Error{At: field, Reason: "is required", Code: CodeRequired}
	}
	if kept[0] == '.' || slices.Contains(devices, strings.ToLower(stem(kept))) {
		kept = shortened("_" + kept)
	}
	f := FileName{Name: kept, Kind: kindOf(kept), Suspicious: kept != evenly(composed) || strings.Contains(typed, "   ") || Suspicious(kept)}
	f.Risky = risky[f.Kind]
	return f, nil
}

// evenly has one plain space wherever a name has some.
func evenly(name string) string { return strings.Join(strings.Fields(name), " ") }

// stem is a name up to its first dot, by which some systems know their devices.
func stem(kept string) string {
	before, _, _ := strings.Cut(kept, ".")
	return strings.TrimSpace(before)
}

func kindOf(kept string) string {
	i := strings.LastIndexByte(kept, '.')
	if i <= 0 {
		return ""
	}
	// What only looks like ASCII is not that kind to any system; it is marked.
	return strings.ToLower(kept[i+1:])
}

// shortened cuts a name before its kind, between characters.
func shortened(kept string) string {
	if len(kept) <= MaxFile {
		return kept
	}
	end := ""
	if i := strings.LastIndexByte(kept, '.'); i > 0 && len(kept)-i <= 20 {
		end = kept[i:]
	}
	cut := kept[:MaxFile-len(end)]
	for !utf8.ValidString(cut) {
		cut = cut[:len(cut)-1]
	}
	return strings.TrimRight(cut, ". ") + end
}

// devices are names that some systems take for something else than a file.
var devices = []string{
	"con", "prn", "aux", "nul", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
	"lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "conin$", "conout$",
}

// risky are the kinds of files that a double click runs, or whose content it runs:
// programs, scripts, shortcuts, pages, disk images, documents with macros.
var risky = kinds(`
	exe com scr pif bat cmd cpl dll sys msi msp mst msix appx ps1 ps1xml psm1 psd1 vb vbs vbe js jse mjs cjs ws wsf wsh wsc sct hta jar jnlp
	lnk url website scf reg inf ins isp library-ms search-ms searchconnector-ms settingcontent-ms theme themepack desktop webloc rdp msc diagcab gadget application appref-ms
	html htm xhtml shtml mht mhtml svg svgz xml xsl xslt chm hlp
	iso img vhd vhdx dmg pkg mpkg app command workflow action scpt applescript
	sh bash zsh csh fish run bin out deb rpm apk appimage flatpakref snap py pyw pyc pyz pl rb php lua
	docm dotm xlsm xltm xlsb xlam xla xll pptm potm ppam ppsm sldm ade adp mdb accdb accde mde one onepkg iqy slk ppa wll
`)

func kinds(list string) map[string]bool {
	all := make(map[string]bool)
	for kind := range strings.FieldsSeq(list) {
		all[kind] = true
	}
	return all
}
