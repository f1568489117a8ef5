import json
import socket

import pytest
import tensorflow as tf

from core.errors import DeviceError
from leras import devices, replicas
from leras.cluster import Cluster, expand_counts, expand_hosts, find_cluster

PAIR = "a:2000,b:2001"


def test_a_process_alone_trains_on_the_default_strategy():
    strategy = devices.strategy("cpu")
    assert strategy is tf.distribute.get_strategy()
    assert replicas.n_replicas(strategy) == replicas.replicas_here(strategy) == 1
    assert replicas.is_chief(strategy) and replicas.first_replica(strategy) == 0


def test_a_machine_without_gpus_lists_none_and_says_so_when_asked_for_one():
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    assert devices.list_devices() == []
    for wish in ("0", "0,1", "first", "-1", ""):
        with pytest.raises(DeviceError, match="this machine has none: use --gpus cpu"):
            devices.strategy(wish)


class FakeGPU(str):
    """Stands for a physical device; only its identity counts."""


@pytest.mark.parametrize("wish, workers, indexes", [
    (None, False, [0]), (None, True, [0, 1, 2]), ("cpu", True, []), ("CPU", False, []),
    ("2", False, [2]), ("2, 0", False, [2, 0])])
def test_gpus_are_chosen_by_number(monkeypatch, wish, workers, indexes):
    gpus = [FakeGPU(index) for index in range(3)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    chosen = devices._chosen(wish, all_of_them=workers)
    assert chosen == [gpus[index] for index in indexes]


@pytest.mark.parametrize("wish, words", [("3", "no GPU '3'; choose from 0, 1, 2, or --gpus cpu"),
                                         ("0,0", "a GPU is named twice")])
def test_wrong_gpus_are_refused_with_what_there_is(monkeypatch, wish, words):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [FakeGPU("x")] * 3)
    with pytest.raises(DeviceError, match=words):
        devices._chosen(wish, all_of_them=False)


def test_the_cpu_cannot_be_split_once_tensorflow_runs():
    tf.constant(1.0)
    with pytest.raises(DeviceError, match="already runs"):
        devices.split_cpu(2)


def test_a_port_in_use_is_named():
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(DeviceError, match=f"port {port} of this machine cannot be used"):
            devices.strategy("cpu", f"127.0.0.1:{port},127.0.0.1:1", 0)


def test_flags_name_the_cluster():
    assert find_cluster("a:2000, b:2001", 1, {}) == Cluster(("a:2000", "b:2001"), 1)
    assert find_cluster("[::1]:2000,b:2001", 0, {}).addresses[0] == "[::1]:2000"


def test_flags_override_the_environment():
    config = json.dumps({"cluster": {"worker": ["x:1", "y:1"]},
                         "task": {"type": "worker", "index": 0}})
    assert find_cluster(PAIR, 1, {"TF_CONFIG": config}).addresses == ("a:2000", "b:2001")
    assert find_cluster(None, None, {"TF_CONFIG": config}).addresses == ("x:1", "y:1")


@pytest.mark.parametrize("environment", [{}, {"SLURM_STEP_NUM_TASKS": "1"}, {"TF_CONFIG": ""}])
def test_a_process_alone_has_no_cluster(environment):
    assert find_cluster(None, None, environment) is None


def test_one_worker_is_no_cluster():
    assert find_cluster("a:2000", 0, {}) is None


@pytest.mark.parametrize("task, rank", [({"type": "chief", "index": 0}, 0),
                                        ({"type": "worker", "index": "1"}, 2)])
def test_tf_config_counts_the_chief_first(task, rank):
    config = {"cluster": {"worker": ["b:1", "c:1"], "chief": ["a:1"]}, "task": task}
    assert find_cluster(None, None, {"TF_CONFIG": json.dumps(config)}) == Cluster(
        ("a:1", "b:1", "c:1"), rank)


def test_slurm_tasks_become_workers_with_a_port_for_each_task_of_a_node():
    environment = {"SLURM_STEP_NUM_TASKS": "5", "SLURM_PROCID": "3",
                   "SLURM_STEP_NODELIST": "gpu[08-09],big",
                   "SLURM_STEP_TASKS_PER_NODE": "2(x2),1"}
    assert find_cluster(None, None, environment) == Cluster(
        ("gpu08:23750", "gpu08:23751", "gpu09:23750", "gpu09:23751", "big:23750"), 3)


@pytest.mark.parametrize("text, hosts", [
    ("alone", ["alone"]), ("a,b", ["a", "b"]), ("n[1-3]", ["n1", "n2", "n3"]),
    ("n[01-02,07]-x,m", ["n01-x", "n02-x", "n07-x", "m"]), ("n[9-11]", ["n9", "n10", "n11"]),
    ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"])])
def test_slurm_host_lists_unfold(text, hosts):
    assert expand_hosts(text) == hosts


def test_slurm_counts_unfold():
    assert expand_counts("2(x3),1") == [2, 2, 2, 1] and expand_counts("4") == [4]


@pytest.mark.parametrize("workers, rank, environment, words", [
    (PAIR, None, {}, "add --rank 0 to --rank 1"),
    (None, 1, {}, "without --workers"),
    (PAIR, 2, {}, "ranks go from 0 to 1"),
    (PAIR, -1, {}, "ranks go from 0 to 1"),
    ("a:2000,b", 0, {}, "worker 'b' is no address; write host:port"),
    ("a:2000,:1", 0, {}, "worker ':1' is no address"),
    ("a:2000,b:70000", 0, {}, "worker 'b:70000' is no address"),
    ("a:2000,a:2000", 0, {}, "one address twice"),
    (None, None, {"TF_CONFIG": "{"}, "TF_CONFIG cannot be understood"),
    (None, None, {"TF_CONFIG": "[]"}, "TF_CONFIG cannot be understood"),
    (None, None, {"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}, "task": '
                               '{"type": "evaluator", "index": 0}}'}, "TF_CONFIG cannot"),
    (None, None, {"SLURM_STEP_NUM_TASKS": "2"}, "SLURM's variables cannot be understood"),
    (None, None, {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0", "SLURM_STEP_NODELIST": "a,b",
                  "SLURM_STEP_TASKS_PER_NODE": "2"}, "SLURM's variables cannot be understood")])
def test_what_makes_no_cluster_is_refused_with_the_next_step(workers, rank, environment, words):
    with pytest.raises(DeviceError, match=words):
        find_cluster(workers, rank, environment)
