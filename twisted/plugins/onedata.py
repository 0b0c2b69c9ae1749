"""The daemons that ``twistd`` can run."""

from twisted.application.service import ServiceMaker

op_worker = ServiceMaker(
    "op-worker", "op_worker.tap", "Oneprovider: files of spaces over REST and CDMI", "op-worker"
)
cluster_manager = ServiceMaker(
    "cluster-manager", "cluster_manager.tap", "Manager of a cluster's nodes", "cluster-manager"
)
oz_worker = ServiceMaker(
    "oz-worker", "oz_worker.tap", "Onezone: users, groups, spaces, providers, tokens", "oz-worker"
)
cluster_worker = ServiceMaker(
    "cluster-worker", "cluster_worker.tap", "A bare node of a cluster", "cluster-worker"
)
