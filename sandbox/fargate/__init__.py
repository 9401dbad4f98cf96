"""The machines of AWS in this sandbox: tasks of ECS as local processes, and the load balancers in front of them.

It proves that what a program registers fits together: that a task's containers start with what the task definition
names, that a new deployment is up before an old one ends, and that a load balancer reaches its targets. It cannot prove
the speed of AWS, that an image can be pulled, or that security groups let a packet through.
"""
