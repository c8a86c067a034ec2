package keep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"aparte/recorder/seal"
	"aparte/recorder/storage"
)

// What lies where: the objects of a part joined are its file, byte for byte, and an index
// says that they are all.
//
//	ID/part-0001/00000001.tar
//	ID/part-0001/00000002.tar
//	ID/part-0001/index.json
//
// They are cut behind whole members, so that each is a tar of its own.

const indexName = "index.json"

// maxIndex bounds what is read of an index: some hundred thousand objects.
const maxIndex = 32 << 20

func folderOf(id string, part uint32) string {
	return id + "/" + strings.TrimSuffix(seal.PartName(part), ".tar")
}

func objectName(id string, part uint32, n int) string {
	return fmt.Sprintf("%s/%08d.tar", folderOf(id, part), n)
}

// Index is what a part in a store consists of. It is put when all of it is there.
type Index struct {
	Type      string   `json:"type"`
	Recording string   `json:"recording"`
	Part      uint32   `json:"part"`
	Size      int64    `json:"size"`
	SHA256    string   `json:"sha256"` // of all of it
	Objects   []Object `json:"objects"`
}

// Object is a stretch of a part.
type Object struct {
	Name   string `json:"name"` // in the part's folder
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// UnmarshalJSON refuses what names no object at the first of them: whoever may write in
// the store may have written an index, and three bytes of it would become a whole object.
func (o *Object) UnmarshalJSON(text []byte) error {
	type plain Object
	if err := json.Unmarshal(text, (*plain)(o)); err != nil {
		return err
	}
	if !objectFile.MatchString(o.Name) {
		return fmt.Errorf("%.20q is no name of an object", o.Name)
	}
	return nil
}

var objectFile = regexp.MustCompile(`^[0-9]{8,}\.tar$`)

const typeIndex = "aparte-part-index"

// readIndex is the index of a part that is whole in a store; storage.ErrNone: it has none.
func readIndex(ctx context.Context, store storage.Storage, id string, part uint32) (*Index, error) {
	name := folderOf(id, part) + "/" + indexName
	file, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxIndex))
	if err != nil {
		return nil, err
	}
	index := new(Index)
	if err := json.Unmarshal(text, index); err != nil {
		return nil, fmt.Errorf("%s does not read: %w", name, err)
	}
	if err := index.check(id, part); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return index, nil
}

// check believes nothing: whoever may write in the store may have written it.
func (x *Index) check(id string, part uint32) error {
	if x.Type != typeIndex || x.Recording != id || x.Part != part {
		return fmt.Errorf("it is the index of %.80q, part %d", x.Recording, x.Part)
	}
	size := int64(0)
	for i, o := range x.Objects {
		if o.Size < 0 || size+o.Size < size || fmt.Sprintf("%08d.tar", i+1) != o.Name {
			return fmt.Errorf("object %d is none", i+1)
		}
		size += o.Size
	}
	if size != x.Size {
		return fmt.Errorf("its objects have %d bytes, it says %d", size, x.Size)
	}
	return nil
}

// put puts the index of a part. That the same is there is no error.
func (x *Index) put(ctx context.Context, store storage.Storage, put putFunc) error {
	text, err := json.MarshalIndent(x, "", " ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	name := folderOf(x.Recording, x.Part) + "/" + indexName
	_, err = put(ctx, name, bytes.NewReader(text), int64(len(text)))
	if !errors.Is(err, storage.ErrExists) {
		return err
	}
	sum := sha256.Sum256(text)
	return same(ctx, store, name, hex.EncodeToString(sum[:]), int64(len(text)))
}

// same finds out whether an object is what it should be.
func same(ctx context.Context, store storage.Storage, name, digest string, size int64) error {
	file, err := store.Open(ctx, name)
	if err != nil {
		return err
	}
	defer file.Close()
	object := file.Object()
	if object.SHA256 == "" && object.Size == size {
		found := sha256.New()
		if _, err := io.Copy(found, file); err != nil {
			return err
		}
		object.SHA256 = hex.EncodeToString(found.Sum(nil))
	}
	if object.Size != size || object.SHA256 != digest {
		return fmt.Errorf("%s: %w: it has SHA-256 %.16s and %d bytes, here are %.16s and %d", name, storage.ErrDamaged, object.SHA256, object.Size, digest, size)
	}
	return nil
}

var partFolder = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}/part-([0-9]{4,9})/([0-9]{8}\.tar|index\.json)$`)

// partOf is which part of its recording an object is of, and its number, 0 for the index;
// false: it is of none.
func partOf(name string) (part uint32, number int, is bool) {
	match := partFolder.FindStringSubmatch(name)
	if match == nil {
		return 0, 0, false
	}
	if part = seal.PartNumber("part-" + match[1] + ".tar"); part == 0 {
		return 0, 0, false
	}
	if match[2] != indexName {
		number, _ = strconv.Atoi(strings.TrimSuffix(match[2], ".tar")) // eight digits
		if number == 0 {
			return 0, 0, false
		}
	}
	return part, number, true
}

// found is what a store has of a part.
type found struct {
	part    uint32
	objects []storage.Object // in order
	index   bool             // all of it
	size    int64            // of the objects
}

// partsAt lists what a store has of a recording, in order.
func partsAt(ctx context.Context, store storage.Storage, id string) ([]found, error) {
	listed, err := store.List(ctx, id)
	if err != nil {
		return nil, err
	}
	var all []found
	for _, o := range listed {
		part, n, is := partOf(o.Name)
		if !is {
			continue
		}
		if len(all) == 0 || all[len(all)-1].part != part {
			all = append(all, found{part: part})
		}
		f := &all[len(all)-1]
		if n == 0 {
			f.index = true
			continue
		}
		if n != len(f.objects)+1 {
			return nil, fmt.Errorf("of part %d of recording %s object %d is missing in the store", part, id, len(f.objects)+1)
		}
		f.objects = append(f.objects, o)
		f.size += o.Size
	}
	slices.SortFunc(all, func(a, b found) int { return int(a.part) - int(b.part) })
	return all, nil
}

// remove deletes what a store has of a recording: the last part first, of each what was
// put last first, and at the end whatever else lies there. What a failure leaves is the
// beginning of a recording.
func remove(ctx context.Context, store storage.Storage, id string) error {
	listed, err := store.List(ctx, id)
	if err != nil {
		return err
	}
	// The index of a part comes after its objects, so it goes first: what has none is not
	// taken for whole.
	for _, o := range slices.Backward(listed) {
		if err := store.Delete(ctx, o.Name); err != nil {
			return err
		}
	}
	return nil
}
