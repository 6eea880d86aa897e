/*
 * The official Java SDK at work on a manager: what a program in another language does with it.
 *
 * Words: address, user, password, trust store, its password. Each line that is printed is a result; the test knows them.
 */

import static org.ovirt.engine.sdk4.ConnectionBuilder.connection;
import static org.ovirt.engine.sdk4.builders.Builders.boot;
import static org.ovirt.engine.sdk4.builders.Builders.cluster;
import static org.ovirt.engine.sdk4.builders.Builders.cpu;
import static org.ovirt.engine.sdk4.builders.Builders.cpuTopology;
import static org.ovirt.engine.sdk4.builders.Builders.disk;
import static org.ovirt.engine.sdk4.builders.Builders.diskAttachment;
import static org.ovirt.engine.sdk4.builders.Builders.nic;
import static org.ovirt.engine.sdk4.builders.Builders.operatingSystem;
import static org.ovirt.engine.sdk4.builders.Builders.snapshot;
import static org.ovirt.engine.sdk4.builders.Builders.storageDomain;
import static org.ovirt.engine.sdk4.builders.Builders.tag;
import static org.ovirt.engine.sdk4.builders.Builders.template;
import static org.ovirt.engine.sdk4.builders.Builders.vm;
import static org.ovirt.engine.sdk4.builders.Builders.vnicProfile;

import java.math.BigInteger;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

import org.ovirt.engine.sdk4.Connection;
import org.ovirt.engine.sdk4.Error;
import org.ovirt.engine.sdk4.services.DiskService;
import org.ovirt.engine.sdk4.services.SnapshotService;
import org.ovirt.engine.sdk4.services.SystemService;
import org.ovirt.engine.sdk4.services.VmService;
import org.ovirt.engine.sdk4.services.VmsService;
import org.ovirt.engine.sdk4.types.BootDevice;
import org.ovirt.engine.sdk4.types.Disk;
import org.ovirt.engine.sdk4.types.DiskAttachment;
import org.ovirt.engine.sdk4.types.DiskFormat;
import org.ovirt.engine.sdk4.types.DiskInterface;
import org.ovirt.engine.sdk4.types.DiskStatus;
import org.ovirt.engine.sdk4.types.Nic;
import org.ovirt.engine.sdk4.types.NicInterface;
import org.ovirt.engine.sdk4.types.Snapshot;
import org.ovirt.engine.sdk4.types.SnapshotStatus;
import org.ovirt.engine.sdk4.types.Vm;
import org.ovirt.engine.sdk4.types.VmStatus;

public class Scenario {
    private static final BigInteger GIB = BigInteger.ONE.shiftLeft(30);
    private static final long LIMIT = 300_000L; // milliseconds after which a wait is given up

    public static void main(String[] words) throws Exception {
        try (Connection manager = connection().url(words[0]).user(words[1]).password(words[2])
                .trustStoreFile(words[3]).trustStorePassword(words[4]).build()) {
            SystemService system = manager.systemService();
            System.out.println("major " + system.get().send().api().productInfo().version().major());
            VmsService vms = system.vmsService();
            VmService machine = make(system, vms);
            refusals(vms);
            change(machine);
            life(system, machine);
            remove(system, vms, machine);
        }
    }

    private static VmService make(SystemService system, VmsService vms) throws Exception {
        Vm made = vms.add().vm(vm().name("java1").memory(GIB).cluster(cluster().name("Default"))
                .template(template().name("Blank")).cpu(cpu().topology(cpuTopology().cores(2).sockets(1).threads(1)))
                .os(operatingSystem().boot(boot().devices(BootDevice.NETWORK, BootDevice.HD)))).send().vm();
        VmService machine = vms.vmService(made.id());
        until(() -> machine.get().send().vm().status(), VmStatus.DOWN);
        DiskAttachment attachment = machine.diskAttachmentsService().add().attachment(diskAttachment().bootable(true)
                .active(true).interface_(DiskInterface.VIRTIO).disk(disk().name("java1_1").format(DiskFormat.COW)
                .provisionedSize(GIB).storageDomains(storageDomain().name("data1")))).send().attachment();
        DiskService its = system.disksService().diskService(attachment.disk().id());
        until(() -> its.get().send().disk().status(), DiskStatus.OK);
        String profile = system.vnicProfilesService().list().send().profiles().get(0).id();
        Nic card = machine.nicsService().add().nic(nic().name("eth0").interface_(NicInterface.VIRTIO)
                .vnicProfile(vnicProfile().id(profile))).send().nic();
        system.tagsService().add().tag(tag().name("fromjava")).send();
        machine.tagsService().add().tag(tag().name("fromjava")).send();
        System.out.println("made " + made.name() + " mac " + card.mac().address().substring(0, 8));
        return machine;
    }

    private static void refusals(VmsService vms) {
        refused("second of a name", () -> vms.add().vm(vm().name("java1").cluster(cluster().name("Default"))
                .template(template().name("Blank"))).send());
        refused("not there", () -> vms.vmService("00000000-0000-0000-0000-0000000000ff").get().send());
    }

    private static void change(VmService machine) {
        machine.update().vm(vm().memory(GIB.shiftLeft(1)).comment("by Java")).send();
        Vm now = machine.get().send().vm();
        System.out.println("memory " + now.memory().divide(GIB) + " comment " + now.comment());
    }

    private static void life(SystemService system, VmService machine) throws Exception {
        machine.start().send();
        until(() -> machine.get().send().vm().status(), VmStatus.UP);
        String first = machine.get().send().vm().host().id();
        machine.migrate().send();
        until(() -> machine.get().send().vm().status(), VmStatus.UP);
        System.out.println("moved " + !Objects.equals(first, machine.get().send().vm().host().id()));
        List<Vm> hits = system.vmsService().list().search("name=java* and status=up").send().vms();
        System.out.println("search " + hits.size() + " " + hits.get(0).name());
        Vm whole = system.vmsService().list().search("name=java1").follow("disk_attachments.disk,tags").send().vms().get(0);
        Disk its = whole.diskAttachments().get(0).disk();
        System.out.println("follow " + its.name() + " " + its.provisionedSize().divide(GIB) + " " + whole.tags().get(0).name());
        Snapshot taken = machine.snapshotsService().add().snapshot(snapshot().description("java").persistMemorystate(false))
                .send().snapshot();
        SnapshotService shot = machine.snapshotsService().snapshotService(taken.id());
        until(() -> shot.get().send().snapshot().snapshotStatus(), SnapshotStatus.OK);
        machine.stop().send();
        until(() -> machine.get().send().vm().status(), VmStatus.DOWN);
        shot.remove().send();
        until(() -> machine.snapshotsService().list().send().snapshots().size(), 1);
        System.out.println("down");
    }

    private static void remove(SystemService system, VmsService vms, VmService machine) throws Exception {
        machine.remove().send();
        until(() -> vms.list().search("name=java1").send().vms().size(), 0);
        until(() -> system.disksService().list().search("name=java1_1").send().disks().size(), 0);
        String label = system.tagsService().list().send().tags().stream().filter(each -> each.name().equals("fromjava"))
                .findFirst().get().id();
        system.tagsService().tagService(label).remove().send();
        System.out.println("removed");
    }

    private static void refused(String what, Runnable request) {
        try {
            request.run();
            System.out.println(what + ": taken");
        } catch (Error problem) {
            System.out.println(what + ": " + problem.getMessage());
        }
    }

    private static <T> void until(Supplier<T> read, T wanted) throws InterruptedException {
        long end = System.currentTimeMillis() + LIMIT;
        while (!Objects.equals(read.get(), wanted)) {
            if (System.currentTimeMillis() > end) {
                throw new IllegalStateException(read.get() + " is not " + wanted);
            }
            Thread.sleep(20);
        }
    }
}
