/*
 * A PKCS#11 module that forwards to SoftHSM2 and behaves like a USB token.
 *
 * Everything is steered by a control file of lines `name=value`, read anew at every call: the file that
 * TOKEN_SIMULATOR names, or the one beside the module with `.control` after its name. Beside the control file
 * stand `.pins` (tries left for each token, shared by all processes) and `.log` (one line for each call: name,
 * arguments, result, process, whether another thread was inside). simulator.py names the settings.
 */
#define _GNU_SOURCE
#include "cryptoki.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define MOST 256
#define TEXT 8192
#define PATH 4096

struct site { const char *name; unsigned long calls, epoch; };
struct call { struct site *site; int overlap; char arguments[256], text[TEXT]; };
struct slot { CK_SLOT_ID id; int known; char label[33]; unsigned long insertion; CK_BYTE pin[256]; CK_ULONG length; };
struct session { CK_SESSION_HANDLE handle; struct slot *slot; int alive, signing, confirmed; };

static CK_FUNCTION_LIST *backend;
static struct slot slots[MOST];
static struct session sessions[MOST * 16];
static pthread_mutex_t tables = PTHREAD_MUTEX_INITIALIZER;
static atomic_int inside;

/* --- the control file ------------------------------------------------------------------------------------ */

static void control_path(char *path, const char *suffix)
{
    const char *told = getenv("TOKEN_SIMULATOR");
    Dl_info self = {0};
    if (!told)
        dladdr((void *)control_path, &self);
    snprintf(path, PATH, "%s%s%s", told ? told : self.dli_fname, told ? "" : ".control", suffix);
}

static void read_control(struct call *call)
{
    char path[PATH];
    control_path(path, "");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, call->text, TEXT - 1);
    call->text[length < 0 ? 0 : length] = 0;
    if (file >= 0)
        close(file);
}

/* Copy the value of `group.name`, or of `group` alone; 0 where there is no such line. */
static int setting(const struct call *call, const char *group, const char *name, char *value, size_t size)
{
    char key[128];
    int length = snprintf(key, sizeof key, "%s%s%s=", group, *name ? "." : "", name);
    for (const char *line = call->text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, (size_t)length) == 0) {
            snprintf(value, size, "%.*s", (int)strcspn(line + length, "\n"), line + length);
            return 1;
        }
    return 0;
}

static unsigned long number(const struct call *call, const char *group, const char *name, unsigned long otherwise)
{
    char value[64];
    return setting(call, group, name, value, sizeof value) ? strtoul(value, NULL, 0) : otherwise;
}

static int has_word(const struct call *call, const char *group, unsigned long wanted)
{
    char value[512];
    if (!setting(call, group, "", value, sizeof value))
        return -1;
    char *rest = NULL;
    for (char *word = strtok_r(value, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
        if (strtoul(word, NULL, 0) == wanted)
            return 1;
    return 0;
}

/* --- every call ------------------------------------------------------------------------------------------- */

static void write_log(const struct call *call, const char *result)
{
    char path[PATH], line[512];
    control_path(path, ".log");
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\t%d\t%d\n", call->site->name, call->arguments, result,
                          (int)getpid(), call->overlap);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0 && write(file, line, (size_t)length) < 0)
        perror("token simulator");
    if (file >= 0)
        close(file);
}

static void pause_ms(unsigned long ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (ms && nanosleep(&left, &left) != 0)
        ;
}

static void die(const struct call *call, const char *how)
{
    write_log(call, how);
    if (strcmp(how, "exit") == 0)
        _exit(3);
    signal(strcmp(how, "abort") == 0 ? SIGABRT : SIGSEGV, SIG_DFL);
    raise(strcmp(how, "abort") == 0 ? SIGABRT : SIGSEGV);
}

/* Whether `group.name=WHAT[,SKIPPED[,COUNT]]` is for this turn; counted since the settings were last changed. */
static int is_turn(const struct call *call, const char *group, char *what, size_t size)
{
    char *rest = NULL;
    if (!setting(call, group, call->site->name, what, size))
        return 0;
    strtok_r(what, ",", &rest);
    const char *skipped = strtok_r(NULL, ",", &rest), *count = strtok_r(NULL, ",", &rest);
    unsigned long first = skipped ? strtoul(skipped, NULL, 0) : 0, turn = call->site->calls - 1;
    return turn >= first && (!count || turn - first < strtoul(count, NULL, 0));
}

static CK_RV begin(struct call *call, struct site *site, const char *format, ...)
{
    char what[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->arguments, sizeof call->arguments, format, arguments);
    va_end(arguments);
    call->site = site;
    call->overlap = atomic_fetch_add(&inside, 1) > 0;
    read_control(call);
    unsigned long epoch = number(call, "epoch", "", 0);
    site->calls = site->epoch == epoch ? site->calls + 1 : 1;
    site->epoch = epoch;
    if (is_turn(call, "crash", what, sizeof what))
        die(call, what);
    if (is_turn(call, "hang", what, sizeof what)) {
        write_log(call, "hang");
        pause_ms(strtoul(what, NULL, 0));
    }
    return is_turn(call, "fail", what, sizeof what) ? strtoul(what, NULL, 0) : CKR_OK;
}

/* Tell another length than the true one, where that is set. */
static void lie(const struct call *call, CK_RV rv, CK_ULONG_PTR length)
{
    char what[64];
    if (rv == CKR_OK && is_turn(call, "lie", what, sizeof what))
        *length = strtoul(what, NULL, 0);
}

static CK_RV finish(struct call *call, CK_RV result)
{
    char text[32];
    snprintf(text, sizeof text, "0x%lx", result);
    write_log(call, text);
    atomic_fetch_sub(&inside, 1);
    return result;
}

#define BEGIN(function, ...) \
    static struct site site = {.name = #function}; \
    struct call call = {0}; \
    CK_RV rv = begin(&call, &site, __VA_ARGS__); \
    if (rv == CKR_OK && !backend) \
        rv = CKR_CRYPTOKI_NOT_INITIALIZED;
#define UNLESS_FAILED(expression) if (rv == CKR_OK) rv = (expression);
#define FINISH return finish(&call, rv);

__attribute__((constructor)) static void load(void)
{
    static struct site site = {.name = "load"};
    struct call call = {0};
    finish(&call, begin(&call, &site, "%s", ""));
}

/* --- slots and sessions ----------------------------------------------------------------------------------- */

/* Return what is known of a slot with an initialised token; NULL for any other. */
static struct slot *slot_of(CK_SLOT_ID id)
{
    CK_TOKEN_INFO info;
    struct slot *found = NULL;
    pthread_mutex_lock(&tables);
    for (int i = 0; i < MOST && !found; i++)
        if (slots[i].known && slots[i].id == id)
            found = &slots[i];
    for (int i = 0; i < MOST && !found; i++)
        if (!slots[i].known) {
            if (backend->C_GetTokenInfo(id, &info) != CKR_OK || !(info.flags & CKF_TOKEN_INITIALIZED))
                break;
            found = &slots[i];
            *found = (struct slot){.id = id, .known = 1, .insertion = (unsigned long)-1};
            int length = 32;
            while (length && info.label[length - 1] == ' ')
                length--;
            memcpy(found->label, info.label, (size_t)length);
        }
    pthread_mutex_unlock(&tables);
    return found;
}

/* Forget what went with the token when it was pulled out since the last look; tell whether it is out now. */
static int is_out(const struct call *call, struct slot *slot)
{
    unsigned long insertion = number(call, "insertions", "*", 0) + number(call, "insertions", slot->label, 0);
    if (slot->insertion != insertion && slot->insertion != (unsigned long)-1) {
        backend->C_CloseAllSessions(slot->id);
        for (int i = 0; i < MOST * 16; i++)
            if (sessions[i].slot == slot)
                sessions[i].alive = 0;
        slot->length = 0;
    }
    slot->insertion = insertion;
    return number(call, "out", "*", 0) || number(call, "out", slot->label, 0);
}

static CK_RV token_state(const struct call *call, CK_SLOT_ID id, CK_RV absent)
{
    struct slot *slot = slot_of(id);
    return slot && is_out(call, slot) ? absent : CKR_OK;
}

static struct session *session_of(CK_SESSION_HANDLE handle)
{
    for (int i = 0; i < MOST * 16; i++)
        if (sessions[i].slot && sessions[i].handle == handle)
            return &sessions[i];
    return NULL;
}

static CK_RV session_state(const struct call *call, CK_SESSION_HANDLE handle)
{
    struct session *session = session_of(handle);
    if (!session)
        return CKR_OK; /* SoftHSM2 says what is wrong with it */
    if (is_out(call, session->slot))
        return CKR_DEVICE_REMOVED;
    return session->alive ? CKR_OK : number(call, "stale", "", 0xB3);
}

static CK_ULONG session_count(const struct slot *slot)
{
    CK_ULONG count = 0;
    for (int i = 0; i < MOST * 16; i++)
        count += sessions[i].slot == slot && sessions[i].alive;
    return count;
}

static CK_RV open_session(const struct call *call, CK_SLOT_ID id, CK_FLAGS flags, CK_SESSION_HANDLE *handle)
{
    struct slot *slot = slot_of(id);
    unsigned long most = number(call, "sessions", "", 0);
    if (slot && most && session_count(slot) >= most)
        return CKR_SESSION_COUNT;
    CK_RV rv = backend->C_OpenSession(id, flags, NULL, NULL, handle);
    pthread_mutex_lock(&tables);
    for (int i = 0; rv == CKR_OK && slot && i < MOST * 16; i++)
        if (!sessions[i].slot) {
            sessions[i] = (struct session){.handle = *handle, .slot = slot, .alive = 1};
            break;
        }
    pthread_mutex_unlock(&tables);
    return rv;
}

static void forget_sessions(const struct slot *slot)
{
    for (int i = 0; i < MOST * 16; i++)
        if (!slot || sessions[i].slot == slot)
            sessions[i] = (struct session){0};
}

/* --- the PIN ---------------------------------------------------------------------------------------------- */

struct pins { int file; unsigned long left, most; char others[TEXT], label[33]; };

/* Read how many tries a token has left, and keep every other process away until `put_pins`. */
static void take_pins(const struct call *call, const struct slot *slot, struct pins *pins)
{
    char path[PATH], text[TEXT] = "", *rest = NULL;
    control_path(path, ".pins");
    *pins = (struct pins){.file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    flock(pins->file, LOCK_EX);
    if (read(pins->file, text, TEXT - 1) < 0)
        perror("token simulator");
    strcpy(pins->label, slot->label);
    pins->left = pins->most = number(call, "tries", "", 0);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *label = strchr(line, ' ');
        if (label && strcmp(label + 1, slot->label) == 0)
            pins->left = strtoul(line, NULL, 10);
        else
            strcat(strcat(pins->others, line), "\n");
    }
}

static void put_pins(struct pins *pins, unsigned long left)
{
    char text[TEXT + 64];
    int length = snprintf(text, sizeof text, "%s%lu %s\n", pins->others, left, pins->label);
    if (pins->most && left != pins->left
        && (ftruncate(pins->file, 0) < 0 || pwrite(pins->file, text, (size_t)length, 0) < 0))
        perror("token simulator");
    close(pins->file);
}

static CK_FLAGS pin_flags(const struct call *call, const struct slot *slot)
{
    char style[16] = "";
    struct pins pins;
    setting(call, "pin_flags", "", style, sizeof style);
    take_pins(call, slot, &pins);
    put_pins(&pins, pins.left);
    if (!pins.most || pins.left >= pins.most || strcmp(style, "none") == 0)
        return 0;
    if (pins.left == 0)
        return CKF_USER_PIN_LOCKED;
    if (pins.left > 1)
        return CKF_USER_PIN_COUNT_LOW;
    return CKF_USER_PIN_FINAL_TRY | (strcmp(style, "exclusive") == 0 ? 0 : CKF_USER_PIN_COUNT_LOW);
}

static int is_length_bad(const struct call *call, CK_ULONG length)
{
    return length < number(call, "pin_shortest", "", 0) || length > number(call, "pin_longest", "", 255);
}

/* Ask the chip: the tries of a user's login and of a context login are the same. */
static CK_RV chip_says(struct session *session, CK_USER_TYPE user, CK_BYTE_PTR pin, CK_ULONG length)
{
    struct slot *slot = session->slot;
    if (user == CKU_CONTEXT_SPECIFIC) {
        int is_right = length && length == slot->length && memcmp(pin, slot->pin, length) == 0;
        return is_right ? CKR_OK : CKR_PIN_INCORRECT;
    }
    CK_RV rv = backend->C_Login(session->handle, user, pin, length);
    if (rv == CKR_OK && length <= sizeof slot->pin) {
        memcpy(slot->pin, pin, length);
        slot->length = length;
    }
    return rv;
}

static CK_RV count_tries(const struct call *call, struct session *session, CK_USER_TYPE user, CK_BYTE_PTR pin,
                         CK_ULONG length)
{
    struct pins pins;
    take_pins(call, session->slot, &pins);
    if (pins.most && pins.left == 0) {
        put_pins(&pins, 0);
        return CKR_PIN_LOCKED;
    }
    CK_RV rv = is_length_bad(call, length) ? CKR_PIN_LEN_RANGE : chip_says(session, user, pin, length);
    int is_wrong = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE;
    put_pins(&pins, rv == CKR_OK ? pins.most : pins.left - (unsigned long)(is_wrong && pins.left));
    return pins.most && is_wrong && pins.left == 1 ? number(call, "last_wrong", "", rv) : rv;
}

static CK_RV login(const struct call *call, CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE_PTR pin, CK_ULONG length)
{
    char typed[256];
    CK_SESSION_INFO info;
    struct session *session = session_of(s);
    CK_RV rv = backend->C_GetSessionInfo(s, &info);
    if (rv != CKR_OK || !session || user == CKU_SO)
        return rv == CKR_OK ? backend->C_Login(s, user, pin, length) : rv;
    if (user == CKU_USER && (info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS))
        return CKR_USER_ALREADY_LOGGED_IN;
    if (user == CKU_CONTEXT_SPECIFIC && !session->signing)
        return CKR_OPERATION_NOT_INITIALIZED;
    if (!pin && setting(call, "pin_pad", "", typed, sizeof typed)) {
        pin = (CK_BYTE_PTR)typed;
        length = strlen(typed);
    }
    if (!pin)
        return CKR_ARGUMENTS_BAD;
    rv = count_tries(call, session, user, pin, length);
    session->confirmed = user == CKU_CONTEXT_SPECIFIC && rv == CKR_OK;
    return rv;
}

EXPORTED CK_RV C_Login(CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE_PTR pin, CK_ULONG length)
{
    BEGIN(C_Login, "session=%lu user=%lu pin=%s", s, user, pin ? "given" : "none")
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(login(&call, s, user, pin, length))
    FINISH
}

EXPORTED CK_RV C_InitPIN(CK_SESSION_HANDLE s, CK_BYTE_PTR pin, CK_ULONG length)
{
    BEGIN(C_InitPIN, "session=%lu", s)
    struct pins pins;
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(backend->C_InitPIN(s, pin, length))
    if (rv == CKR_OK && session_of(s)) {
        take_pins(&call, session_of(s)->slot, &pins);
        put_pins(&pins, pins.most);
    }
    FINISH
}

EXPORTED CK_RV C_SetPIN(CK_SESSION_HANDLE s, CK_BYTE_PTR old, CK_ULONG n, CK_BYTE_PTR pin, CK_ULONG length)
{
    BEGIN(C_SetPIN, "session=%lu", s)
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(backend->C_SetPIN(s, old, n, pin, length))
    FINISH
}

/* --- signing ---------------------------------------------------------------------------------------------- */

EXPORTED CK_RV C_SignInit(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k)
{
    BEGIN(C_SignInit, "session=%lu mechanism=0x%lx key=%lu", s, m ? m->mechanism : 0, k)
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(m && has_word(&call, "mechanisms", m->mechanism) == 0 ? CKR_MECHANISM_INVALID : CKR_OK)
    UNLESS_FAILED(backend->C_SignInit(s, m, k))
    struct session *session = session_of(s);
    if (rv == CKR_OK && session) {
        session->signing = 1;
        session->confirmed = 0;
    }
    FINISH
}

/* End the operation as a token does that was not given the PIN for this signature. */
static CK_RV give_up(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG length)
{
    CK_BYTE unseen[1024];
    CK_ULONG size = sizeof unseen;
    backend->C_Sign(s, data, length, unseen, &size);
    return CKR_USER_NOT_LOGGED_IN;
}

static CK_RV sign(struct call *call, CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR value,
                  CK_ULONG_PTR size)
{
    struct session *session = session_of(s);
    if (session && session->signing && !session->confirmed && number(call, "always_authenticate", "", 0)) {
        session->signing = 0;
        return give_up(s, data, length);
    }
    CK_RV rv = backend->C_Sign(s, data, length, value, size);
    if (!value || rv == CKR_BUFFER_TOO_SMALL)
        return rv;
    pause_ms(number(call, "slow_sign_ms", "", 0));
    if (session)
        session->signing = session->confirmed = 0;
    if (rv == CKR_OK && number(call, "wrong_signature", "", 0))
        value[*size - 1] ^= 1;
    read_control(call);
    CK_RV state = session_state(call, s);
    return state == CKR_OK ? rv : CKR_DEVICE_REMOVED;
}

EXPORTED CK_RV C_Sign(CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR value, CK_ULONG_PTR size)
{
    BEGIN(C_Sign, "session=%lu data=%lu output=%s", s, length, value ? "yes" : "no")
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(sign(&call, s, data, length, value, size))
    lie(&call, rv, size);
    FINISH
}

static CK_RV attributes(const struct call *call, CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n)
{
    CK_ULONG class = 0;
    CK_ATTRIBUTE asked = {CKA_CLASS, &class, sizeof class};
    CK_RV rv = backend->C_GetAttributeValue(s, o, t, n);
    int is_always = number(call, "always_authenticate", "", 0)
        && backend->C_GetAttributeValue(s, o, &asked, 1) == CKR_OK && class == CKO_PRIVATE_KEY;
    for (CK_ULONG i = 0; i < n; i++) {
        if (t[i].type == CKA_ALWAYS_AUTHENTICATE && is_always && t[i].pValue && t[i].ulValueLen == 1)
            *(CK_BBOOL *)t[i].pValue = 1;
        if (has_word(call, "hidden", t[i].type) == 1) {
            t[i].ulValueLen = (CK_ULONG)-1;
            rv = CKR_ATTRIBUTE_TYPE_INVALID;
        }
    }
    return rv;
}

EXPORTED CK_RV C_GetAttributeValue(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n)
{
    BEGIN(C_GetAttributeValue, "session=%lu object=%lu type=0x%lx", s, o, t && n ? t[0].type : 0)
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(attributes(&call, s, o, t, n))
    lie(&call, rv, &t[0].ulValueLen);
    FINISH
}

EXPORTED CK_RV C_FindObjects(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *o, CK_ULONG n, CK_ULONG_PTR c)
{
    BEGIN(C_FindObjects, "session=%lu", s)
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(backend->C_FindObjects(s, o, n, c))
    lie(&call, rv, c);
    FINISH
}

/* --- the library, its slots and its sessions --------------------------------------------------------------- */

static CK_RV initialize(const struct call *call, CK_VOID_PTR args)
{
    char path[PATH] = "/usr/lib/softhsm/libsofthsm2.so", configuration[PATH];
    const char *name = "SOFTHSM2_CONF", *before = getenv(name);
    setting(call, "backend", "", path, sizeof path);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_RV (*list)(CK_FUNCTION_LIST **) = library ? dlsym(library, "C_GetFunctionList") : NULL;
    if (!list || list(&backend) != CKR_OK)
        return CKR_GENERAL_ERROR;
    before = before ? strdup(before) : NULL;
    if (setting(call, "configuration", "", configuration, sizeof configuration))
        setenv(name, configuration, 1);
    CK_RV rv = backend->C_Initialize(args);
    if (before)
        setenv(name, before, 1);
    else
        unsetenv(name);
    free((void *)before);
    return rv;
}

EXPORTED CK_RV C_Initialize(CK_VOID_PTR args)
{
    static struct site site = {.name = "C_Initialize"};
    struct call call = {0};
    CK_FLAGS flags = args ? ((CK_C_INITIALIZE_ARGS *)args)->flags : 0;
    CK_RV rv = begin(&call, &site, "args=%s flags=0x%lx", args ? "given" : "none", flags);
    UNLESS_FAILED(initialize(&call, args))
    FINISH
}

EXPORTED CK_RV C_Finalize(CK_VOID_PTR reserved)
{
    BEGIN(C_Finalize, "%s", "")
    UNLESS_FAILED(backend->C_Finalize(reserved))
    if (rv == CKR_OK) {
        forget_sessions(NULL);
        memset(slots, 0, sizeof slots);
    }
    FINISH
}

EXPORTED CK_RV C_GetInfo(CK_INFO *info)
{
    BEGIN(C_GetInfo, "%s", "")
    UNLESS_FAILED(backend->C_GetInfo(info))
    if (rv == CKR_OK)
        memcpy(info->libraryDescription, "Token simulator                 ", 32);
    FINISH
}

static CK_RV slot_list(const struct call *call, CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG_PTR count)
{
    CK_SLOT_ID all[MOST];
    CK_ULONG there = MOST, room = *count;
    CK_RV rv = backend->C_GetSlotList(0, NULL, &there);
    there = MOST;
    if (rv != CKR_OK || (rv = backend->C_GetSlotList(0, all, &there)) != CKR_OK)
        return rv;
    *count = 0;
    for (CK_ULONG i = 0; i < there; i++) {
        struct slot *slot = slot_of(all[i]);
        if (!slot || (is_out(call, slot) && present))
            continue;
        if (list && *count < room)
            list[*count] = all[i];
        ++*count;
    }
    return list && *count > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

EXPORTED CK_RV C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG_PTR count)
{
    BEGIN(C_GetSlotList, "present=%d output=%s", present, list ? "yes" : "no")
    UNLESS_FAILED(count ? slot_list(&call, present, list, count) : CKR_ARGUMENTS_BAD)
    lie(&call, rv, count);
    FINISH
}

EXPORTED CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    BEGIN(C_GetSlotInfo, "slot=%lu", slot)
    UNLESS_FAILED(backend->C_GetSlotInfo(slot, info))
    if (rv == CKR_OK) {
        info->flags |= CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
        if (token_state(&call, slot, CKR_TOKEN_NOT_PRESENT) != CKR_OK)
            info->flags &= ~(CK_FLAGS)CKF_TOKEN_PRESENT;
    }
    FINISH
}

static CK_RV token_info(const struct call *call, CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
    struct slot *slot = slot_of(id);
    CK_RV rv = backend->C_GetTokenInfo(id, info);
    if (rv != CKR_OK || !slot)
        return rv;
    char typed[8];
    info->flags &= ~(CK_FLAGS)(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
    info->flags |= pin_flags(call, slot) | number(call, "flags_set", "", 0);
    info->flags &= ~number(call, "flags_cleared", "", 0);
    if (setting(call, "pin_pad", "", typed, sizeof typed))
        info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    info->ulMaxSessionCount = number(call, "sessions", "", 0);
    info->ulSessionCount = session_count(slot);
    info->ulMinPinLen = number(call, "pin_shortest", "", info->ulMinPinLen);
    info->ulMaxPinLen = number(call, "pin_longest", "", info->ulMaxPinLen);
    return rv;
}

EXPORTED CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    BEGIN(C_GetTokenInfo, "slot=%lu", slot)
    UNLESS_FAILED(token_state(&call, slot, CKR_TOKEN_NOT_PRESENT))
    UNLESS_FAILED(token_info(&call, slot, info))
    FINISH
}

static CK_RV mechanism_list(const struct call *call, CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG_PTR count)
{
    char value[512], *rest = NULL;
    CK_ULONG room = *count;
    if (!setting(call, "mechanisms", "", value, sizeof value))
        return backend->C_GetMechanismList(slot, list, count);
    *count = 0;
    for (char *word = strtok_r(value, ",", &rest); word; word = strtok_r(NULL, ",", &rest), ++*count)
        if (list && *count < room)
            list[*count] = strtoul(word, NULL, 0);
    return list && *count > room ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

EXPORTED CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG_PTR count)
{
    BEGIN(C_GetMechanismList, "slot=%lu output=%s", slot, list ? "yes" : "no")
    UNLESS_FAILED(token_state(&call, slot, CKR_TOKEN_NOT_PRESENT))
    UNLESS_FAILED(mechanism_list(&call, slot, list, count))
    lie(&call, rv, count);
    FINISH
}

EXPORTED CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    BEGIN(C_GetMechanismInfo, "slot=%lu mechanism=0x%lx", slot, type)
    UNLESS_FAILED(token_state(&call, slot, CKR_TOKEN_NOT_PRESENT))
    UNLESS_FAILED(has_word(&call, "mechanisms", type) == 0 ? CKR_MECHANISM_INVALID : CKR_OK)
    UNLESS_FAILED(backend->C_GetMechanismInfo(slot, type, info))
    FINISH
}

EXPORTED CK_RV C_InitToken(CK_SLOT_ID slot, CK_BYTE_PTR pin, CK_ULONG length, CK_BYTE_PTR label)
{
    BEGIN(C_InitToken, "slot=%lu", slot)
    UNLESS_FAILED(token_state(&call, slot, CKR_TOKEN_NOT_PRESENT))
    UNLESS_FAILED(backend->C_InitToken(slot, pin, length, label))
    FINISH
}

EXPORTED CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR p, CK_NOTIFY notify, CK_SESSION_HANDLE *s)
{
    BEGIN(C_OpenSession, "slot=%lu flags=0x%lx", slot, flags)
    (void)p, (void)notify;
    UNLESS_FAILED(token_state(&call, slot, CKR_DEVICE_REMOVED))
    UNLESS_FAILED(open_session(&call, slot, flags, s))
    FINISH
}

EXPORTED CK_RV C_CloseSession(CK_SESSION_HANDLE s)
{
    BEGIN(C_CloseSession, "session=%lu", s)
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(backend->C_CloseSession(s))
    struct session *session = session_of(s);
    if (rv == CKR_OK && session)
        *session = (struct session){0};
    FINISH
}

EXPORTED CK_RV C_CloseAllSessions(CK_SLOT_ID slot)
{
    BEGIN(C_CloseAllSessions, "slot=%lu", slot)
    UNLESS_FAILED(token_state(&call, slot, CKR_TOKEN_NOT_PRESENT))
    UNLESS_FAILED(backend->C_CloseAllSessions(slot))
    if (rv == CKR_OK && slot_of(slot))
        forget_sessions(slot_of(slot));
    FINISH
}

EXPORTED CK_RV C_GetSessionInfo(CK_SESSION_HANDLE s, CK_SESSION_INFO *info)
{
    BEGIN(C_GetSessionInfo, "session=%lu", s)
    UNLESS_FAILED(session_state(&call, s))
    UNLESS_FAILED(backend->C_GetSessionInfo(s, info))
    FINISH
}

EXPORTED CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, CK_VOID_PTR reserved)
{
    BEGIN(C_WaitForSlotEvent, "flags=0x%lx", flags)
    (void)slot, (void)reserved;
    UNLESS_FAILED(flags & CKF_DONT_BLOCK ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED)
    FINISH
}

/* --- the others, and the list of all ----------------------------------------------------------------------- */

#define LEAVE(name, parameters)
#define FORWARD(name, parameters, arguments) \
    EXPORTED CK_RV name parameters \
    { \
        BEGIN(name, "session=%lu", s) \
        UNLESS_FAILED(session_state(&call, s)) \
        UNLESS_FAILED(backend->name arguments) \
        FINISH \
    }
CRYPTOKI_FUNCTIONS(LEAVE, FORWARD)

#define OWN_ENTRY(name, parameters) .name = name,
#define SESSION_ENTRY(name, parameters, arguments) .name = name,
EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);
static CK_FUNCTION_LIST functions = {{2, 40}, CRYPTOKI_FUNCTIONS(OWN_ENTRY, SESSION_ENTRY)};

EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    static struct site site = {.name = "C_GetFunctionList"};
    struct call call = {0};
    CK_RV rv = begin(&call, &site, "%s", "");
    UNLESS_FAILED(list ? CKR_OK : CKR_ARGUMENTS_BAD)
    if (rv == CKR_OK)
        *list = &functions;
    FINISH
}
