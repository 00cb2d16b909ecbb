"""AWS Batch on loopback: moto's control plane, whose jobs run as processes in place of containers.

``IMAGE=JSON AWS_REGION=... python batch_service.py FOLDER`` says its endpoint and the ARN of a
queue, and ends with its standard input. A job runs the command of its registered definition
verbatim in an empty folder, with the variables of the definition, of IMAGE (those of a container
and its role) and the service's own; its output is beside it. Where FOLDER holds a file ``lost``,
the next job fails at once.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import datetime
from pathlib import Path

import boto3
from moto.batch.models import Job
from moto.server import ThreadedMotoServer

FOLDER, IMAGE = Path(sys.argv[1]), json.loads(os.environ.pop("IMAGE"))
REGION = os.environ["AWS_REGION"]
LOST = threading.Lock()


def run(job):
    """Stand in for ``moto.batch.models.Job.run``, which wants Docker."""
    definition = job.job_definition
    with (FOLDER / "definitions.jsonl").open("a") as log:
        log.write(json.dumps(definition.describe(), default=str) + "\n")
    job.job_started_at = datetime.now()
    job._start_attempt()
    job.status = "RUNNING"
    with LOST:
        lost = (FOLDER / "lost").exists()
        (FOLDER / "lost").unlink(missing_ok=True)
    container = definition.container_properties
    home = tempfile.mkdtemp(prefix="container-", dir=FOLDER)
    registered = {each["name"]: each["value"] for each in container["environment"]}
    with Path(home + ".log").open("w") as log:
        process = subprocess.Popen(
            ["false"] if lost else container["command"],
            cwd=home,
            env={**IMAGE, "HOME": home, "AWS_BATCH_JOB_ID": job.job_id, **registered},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while process.poll() is None:
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                if job.stop:
                    os.killpg(process.pid, signal.SIGTERM)
    job.exit_code = process.returncode
    job.job_stopped_reason = job.job_stopped_reason or "Essential container in task exited"
    job._mark_stopped(success=process.returncode == 0)


def queue(endpoint):
    """ARN of a job queue with all that it stands on."""
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    iam, ec2, batch = (
        boto3.client(name, endpoint_url=endpoint, region_name=REGION, **keys)
        for name in ("iam", "ec2", "batch")
    )
    role = iam.create_role(RoleName="service", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    profile = iam.create_instance_profile(InstanceProfileName="nodes")["InstanceProfile"]["Arn"]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    environment = batch.create_compute_environment(
        computeEnvironmentName="nodes",
        type="MANAGED",
        state="ENABLED",
        serviceRole=role,
        computeResources={
            "type": "EC2",
            "minvCpus": 0,
            "maxvCpus": 16,
            "desiredvCpus": 0,
            "instanceTypes": ["optimal"],
            "subnets": [subnet],
            "securityGroupIds": [group],
            "instanceRole": profile,
        },
    )["computeEnvironmentArn"]
    made = batch.create_job_queue(
        jobQueueName="cohort",
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )
    return made["jobQueueArn"]


if __name__ == "__main__":
    Job.run = run
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    sys.stdout.write(json.dumps({"endpoint": address, "queue": queue(address)}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()
