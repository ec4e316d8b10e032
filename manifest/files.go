package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Limits of the files in a folder, in bytes.
const (
	MaxManifest = 1 << 20
	MaxTemplate = 64 << 10
	MaxIcon     = 1 << 20
	MaxReadme   = 256 << 10
)

// maxLinks bounds the symbolic links on the way to one file, as systems do.
const maxLinks = 40

var (
	errOutside = errors.New("it leads out of the folder")
	errLinks   = errors.New("its symbolic links lead in a circle")
	errKind    = errors.New("it is not a regular file")
)

// A sizeError tells that a file is larger than it may be.
type sizeError struct{ limit int }

func (e *sizeError) Error() string {
	return fmt.Sprintf("it is larger than %d bytes", e.limit)
}

// checkName reports what keeps a name in a manifest from being a path inside
// the folder, "" for nothing.
func checkName(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case strings.Contains(name, `\`):
		return "it has a backslash"
	case strings.HasPrefix(name, "/"):
		return "it is absolute"
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "it leads out of the folder with .."
	case strings.ContainsRune(name, 0) || !fs.ValidPath(path.Clean(name)):
		return "it is not a path"
	}
	return ""
}

// resolve follows the symbolic links on the way to a name, as the system would,
// and fails with errOutside where one leads out of fsys. File systems follow
// links on their own when they open a file (os.DirFS does so to anywhere), so
// only the resolved name may be opened.
func resolve(fsys fs.FS, name string) (string, error) {
	at, todo := ".", strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if at == "." {
				return "", errOutside
			}
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		info, err := fs.Lstat(fsys, next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", errLinks
		}
		target, err := fs.ReadLink(fsys, next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) || strings.ContainsAny(target, `\:`) {
			return "", errOutside
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at, nil
}

// readFile reads a regular file inside fsys of at most limit bytes. What is not
// regular is never opened: opening a pipe would wait for its writer.
func readFile(fsys fs.FS, name string, limit int) ([]byte, error) {
	name, err := resolve(fsys, path.Clean(name))
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errKind
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, &sizeError{limit}
	}
	return data, nil
}

// reason words an error of readFile without the path, which may be longer than
// what the manifest says.
func reason(err error) string {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "it may not be read"
	case errors.As(err, &pathError):
		return pathError.Err.Error()
	}
	return err.Error()
}
