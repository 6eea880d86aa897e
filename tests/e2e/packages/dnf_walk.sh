# The dnf way of share/setup.sh: bash dnf_walk.sh TOP REPOSITORY, on a machine that has dnf and no apt-get. The repository has
# stub-one and stub-two, whose programs are called like them.
set -eux
top=$1 repository=$2
rm -f /usr/bin/apt-get
mkdir -p /etc/yum.repos.d
printf '[stubs]\nname=stubs\nbaseurl=file://%s\nenabled=1\ngpgcheck=0\n' "$repository" > /etc/yum.repos.d/stubs.repo
set +u
. "$top/share/setup.sh"
set -u
system_packages stub-one=deb-name:stub-one stub-two=stub-two no-such-program=deb-name:not-in-the-repository
rpm -q stub-one stub-two
stub-one
stub-two
[ -z "$( (set +x; system_packages stub-one=deb-name:stub-one) 2>&1 | grep Installing)" ]
find_python
echo "== done"
