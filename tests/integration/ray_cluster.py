"""A Ray cluster of one machine: a head without cores and two nodes with one each.

Run by Ray's own Python. Prints its address and its folder, kills a node for each line that it
reads, and ends with its input.
"""

from __future__ import annotations

import json
import sys
import tempfile

from ray.cluster_utils import Cluster


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as home:
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "temp_dir": home})
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        sys.stdout.write(json.dumps({"address": cluster.address, "home": home}) + "\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        cluster.shutdown()


main()
