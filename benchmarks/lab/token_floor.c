/*
 * The floor of signing with a token: C_SignInit and C_Sign over 51 bytes in a kept session, and nothing else.
 *
 * token_floor MODULE LABEL PIN COUNT: for each number N on standard input, makes COUNT signatures N times and
 * prints the median of what COUNT took, in milliseconds, the time of all cores for it, and 0.
 */
#define _GNU_SOURCE
#include "cryptoki.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static CK_FUNCTION_LIST *token;

static void demand(const char *what, CK_RV rv)
{
    if (rv != CKR_OK) {
        fprintf(stderr, "%s: 0x%lx\n", what, rv);
        exit(1);
    }
}

static double ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static CK_SLOT_ID slot_of(const char *label)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = 64;
    CK_TOKEN_INFO info;
    demand("C_GetSlotList", token->C_GetSlotList(1, slots, &count));
    for (CK_ULONG i = 0; i < count; i++)
        if (token->C_GetTokenInfo(slots[i], &info) == CKR_OK && memcmp(info.label, label, strlen(label)) == 0)
            return slots[i];
    demand("no such token", CKR_GENERAL_ERROR);
    return 0;
}

static void sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    CK_BYTE data[51] = {0x30, 0x31, 0x30, 0x0d}, value[512];
    CK_ULONG size = sizeof value;
    demand("C_SignInit", token->C_SignInit(session, &mechanism, key));
    demand("C_Sign", token->C_Sign(session, data, sizeof data, value, &size));
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    CK_ULONG class = CKO_PRIVATE_KEY, found = 0;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    int runs;
    void *library = argc == 5 ? dlopen(argv[1], RTLD_NOW) : NULL;
    CK_RV (*list)(CK_FUNCTION_LIST **) = library ? dlsym(library, "C_GetFunctionList") : NULL;
    demand("dlopen", list ? list(&token) : CKR_GENERAL_ERROR);
    demand("C_Initialize", token->C_Initialize(NULL));
    demand("C_OpenSession", token->C_OpenSession(slot_of(argv[2]), CKF_SERIAL_SESSION, NULL, NULL, &session));
    demand("C_Login", token->C_Login(session, CKU_USER, (CK_BYTE_PTR)argv[3], strlen(argv[3])));
    demand("C_FindObjectsInit", token->C_FindObjectsInit(session, &wanted, 1));
    demand("C_FindObjects", token->C_FindObjects(session, &key, 1, &found));
    demand("C_FindObjectsFinal", token->C_FindObjectsFinal(session));
    demand("no key", found == 1 ? CKR_OK : CKR_GENERAL_ERROR);
    while (scanf("%d", &runs) == 1 && runs > 0) {
        double *times = calloc((size_t)runs, sizeof *times), cpu = ms(CLOCK_PROCESS_CPUTIME_ID);
        for (int run = 0; run < runs; run++) {
            double start = ms(CLOCK_MONOTONIC);
            for (int i = 0; i < atoi(argv[4]); i++)
                sign(session, key);
            times[run] = ms(CLOCK_MONOTONIC) - start;
        }
        cpu = (ms(CLOCK_PROCESS_CPUTIME_ID) - cpu) / runs;
        qsort(times, (size_t)runs, sizeof *times, compare);
        printf("[%.6f, %.6f, 0]\n", (times[(runs - 1) / 2] + times[runs / 2]) / 2, cpu);
        fflush(stdout);
        free(times);
    }
    return 0;
}
