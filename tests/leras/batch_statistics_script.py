"""One step of a batch norm on two devices; prints the running mean of each."""

import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from tests.leras.test_batch_statistics import images, our_norm, training  # noqa: E402

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    norm = our_norm()
    step = training(norm, n=2)
    step.step([images(3)])
for copy in norm.running_mean.values:
    print(*copy.numpy())
