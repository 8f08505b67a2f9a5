package main

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// pebbleEngine is Pebble with the same memory and a Bloom filter on each level.
type pebbleEngine struct {
	db    *pebble.DB
	cache *pebble.Cache
}

// widePrefix is in front of the keys of the large partition; no other key begins so.
var widePrefix = []byte("\xff\xff\xff\xff\xff\xff\xff\xffwide")

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(f string, a ...any) {
	pebble.DefaultLogger.Fatalf(f, a...)
}

func openPebble(dir string, s sizes) (engine, error) {
	cache := pebble.NewCache(int64(s.CacheMiB) << 20)
	o := &pebble.Options{
		Cache: cache, MemTableSize: uint64(s.MemtableMiB) << 20, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{},
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
	}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, o)
	if err != nil {
		return nil, err
	}
	return &pebbleEngine{db, cache}, nil
}

type pebbleSession struct {
	e   *pebbleEngine
	key []byte
	out []byte
}

func (e *pebbleEngine) session() session { return &pebbleSession{e: e} }

func (s *pebbleSession) put(key, value []byte, sync bool) error {
	o := pebble.NoSync
	if sync {
		o = pebble.Sync
	}
	return s.e.db.Set(key, value, o)
}

func (s *pebbleSession) putWide(clustering uint64, value []byte) error {
	s.key = binary.BigEndian.AppendUint64(append(s.key[:0], widePrefix...), clustering)
	return s.e.db.Set(s.key, value, pebble.NoSync)
}

func (s *pebbleSession) get(key []byte) (bool, error) {
	v, closer, err := s.e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.out = append(s.out[:0], v...)
	return true, closer.Close()
}

func (e *pebbleEngine) settle() error {
	if err := e.db.Flush(); err != nil {
		return err
	}
	for {
		m := e.db.Metrics()
		if m.Compact.NumInProgress == 0 && m.Flush.NumInProgress == 0 && m.Compact.EstimatedDebt == 0 {
			return nil
		}
		if m.Compact.NumInProgress == 0 {
			// Debt that starts no compaction stays.
			time.Sleep(200 * time.Millisecond)
			if m = e.db.Metrics(); m.Compact.NumInProgress == 0 {
				return nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (e *pebbleEngine) iterate(o *pebble.IterOptions) (n int, err error) {
	it, err := e.db.NewIter(o)
	if err != nil {
		return 0, err
	}
	bytes := 0
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return n, errors.Join(err, it.Close())
		}
		bytes += len(v)
		n++
	}
	if bytes == 0 {
		return 0, errors.Join(errors.New("no values"), it.Close())
	}
	return n, errors.Join(it.Error(), it.Close())
}

func (e *pebbleEngine) scan() (int, error) {
	return e.iterate(&pebble.IterOptions{UpperBound: widePrefix})
}

func (e *pebbleEngine) wide() (int, error) {
	return e.iterate(&pebble.IterOptions{LowerBound: widePrefix})
}

func (e *pebbleEngine) compact() error {
	return e.db.Compact(context.Background(), []byte{0}, []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), true)
}

// durable does nothing: Pebble is told with each write.
func (e *pebbleEngine) durable() error { return nil }

func (e *pebbleEngine) close() error {
	err := e.db.Close()
	e.cache.Unref()
	return err
}
