"""The ``ceph`` helper: files striped over objects of a pool by Ceph's own library. For storages of old."""
