"""The ``cephrados`` helper: files in blocks, each an object of a pool of Ceph."""
