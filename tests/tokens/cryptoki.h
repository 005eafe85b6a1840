/*
 * PKCS#11 2.40 for Unix, as far as the token simulator and the floor program need it.
 *
 * Source: PKCS#11 Cryptographic Token Interface Base Specification 2.40,
 * https://docs.oasis-open.org/pkcs11/pkcs11-base/v2.40/os/pkcs11-base-v2.40-os.html
 *
 * CRYPTOKI_FUNCTIONS names every function in the order of CK_FUNCTION_LIST. ON_SESSION marks those whose
 * first parameter is a session and about which a token has nothing of its own to say.
 */
#ifndef CRYPTOKI_H
#define CRYPTOKI_H

typedef unsigned char CK_BYTE;
typedef CK_BYTE CK_BBOOL;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV, CK_FLAGS, CK_SLOT_ID, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_USER_TYPE, CK_STATE;
typedef CK_ULONG CK_ATTRIBUTE_TYPE, CK_MECHANISM_TYPE, CK_NOTIFICATION;
typedef CK_BYTE *CK_BYTE_PTR;
typedef CK_ULONG *CK_ULONG_PTR;
typedef void *CK_VOID_PTR;
typedef CK_RV (*CK_NOTIFY)(CK_SESSION_HANDLE, CK_NOTIFICATION, CK_VOID_PTR);

typedef struct { CK_BYTE major, minor; } CK_VERSION;
typedef struct {
    CK_VERSION cryptokiVersion;
    CK_BYTE manufacturerID[32];
    CK_FLAGS flags;
    CK_BYTE libraryDescription[32];
    CK_VERSION libraryVersion;
} CK_INFO;
typedef struct {
    CK_BYTE slotDescription[64], manufacturerID[32];
    CK_FLAGS flags;
    CK_VERSION hardwareVersion, firmwareVersion;
} CK_SLOT_INFO;
typedef struct {
    CK_BYTE label[32], manufacturerID[32], model[16], serialNumber[16];
    CK_FLAGS flags;
    CK_ULONG ulMaxSessionCount, ulSessionCount, ulMaxRwSessionCount, ulRwSessionCount;
    CK_ULONG ulMaxPinLen, ulMinPinLen;
    CK_ULONG ulTotalPublicMemory, ulFreePublicMemory, ulTotalPrivateMemory, ulFreePrivateMemory;
    CK_VERSION hardwareVersion, firmwareVersion;
    CK_BYTE utcTime[16];
} CK_TOKEN_INFO;
typedef struct { CK_SLOT_ID slotID; CK_STATE state; CK_FLAGS flags; CK_ULONG ulDeviceError; } CK_SESSION_INFO;
typedef struct { CK_ATTRIBUTE_TYPE type; CK_VOID_PTR pValue; CK_ULONG ulValueLen; } CK_ATTRIBUTE;
typedef struct { CK_MECHANISM_TYPE mechanism; CK_VOID_PTR pParameter; CK_ULONG ulParameterLen; } CK_MECHANISM;
typedef struct { CK_ULONG ulMinKeySize, ulMaxKeySize; CK_FLAGS flags; } CK_MECHANISM_INFO;
typedef struct {
    CK_VOID_PTR createMutex, destroyMutex, lockMutex, unlockMutex;
    CK_FLAGS flags;
    CK_VOID_PTR pReserved;
} CK_C_INITIALIZE_ARGS;

enum {
    CKR_OK = 0,
    CKR_GENERAL_ERROR = 0x05,
    CKR_ARGUMENTS_BAD = 0x07,
    CKR_NO_EVENT = 0x08,
    CKR_ATTRIBUTE_TYPE_INVALID = 0x12,
    CKR_DEVICE_REMOVED = 0x32,
    CKR_FUNCTION_NOT_SUPPORTED = 0x54,
    CKR_MECHANISM_INVALID = 0x70,
    CKR_OPERATION_NOT_INITIALIZED = 0x91,
    CKR_PIN_INCORRECT = 0xA0,
    CKR_PIN_LEN_RANGE = 0xA2,
    CKR_PIN_LOCKED = 0xA4,
    CKR_SESSION_COUNT = 0xB1,
    CKR_TOKEN_NOT_PRESENT = 0xE0,
    CKR_USER_ALREADY_LOGGED_IN = 0x100,
    CKR_USER_NOT_LOGGED_IN = 0x101,
    CKR_BUFFER_TOO_SMALL = 0x150,
    CKR_CRYPTOKI_NOT_INITIALIZED = 0x190,
    CKF_TOKEN_PRESENT = 0x1,
    CKF_REMOVABLE_DEVICE = 0x2,
    CKF_HW_SLOT = 0x4,
    CKF_PROTECTED_AUTHENTICATION_PATH = 0x100,
    CKF_TOKEN_INITIALIZED = 0x400,
    CKF_USER_PIN_COUNT_LOW = 0x10000,
    CKF_USER_PIN_FINAL_TRY = 0x20000,
    CKF_USER_PIN_LOCKED = 0x40000,
    CKF_SERIAL_SESSION = 0x4,
    CKF_DONT_BLOCK = 0x1,
    CKU_SO = 0,
    CKU_USER = 1,
    CKU_CONTEXT_SPECIFIC = 2,
    CKS_RO_USER_FUNCTIONS = 1,
    CKS_RW_USER_FUNCTIONS = 3,
    CKO_PRIVATE_KEY = 3,
    CKA_CLASS = 0x0,
    CKA_ALWAYS_AUTHENTICATE = 0x202,
    CKM_RSA_PKCS = 0x1,
};

#define CRYPTOKI_FUNCTIONS(OWN, ON_SESSION) \
    OWN(C_Initialize, (CK_VOID_PTR args)) \
    OWN(C_Finalize, (CK_VOID_PTR reserved)) \
    OWN(C_GetInfo, (CK_INFO *info)) \
    OWN(C_GetFunctionList, (struct CK_FUNCTION_LIST **list)) \
    OWN(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG_PTR count)) \
    OWN(C_GetSlotInfo, (CK_SLOT_ID slot, CK_SLOT_INFO *info)) \
    OWN(C_GetTokenInfo, (CK_SLOT_ID slot, CK_TOKEN_INFO *info)) \
    OWN(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG_PTR count)) \
    OWN(C_GetMechanismInfo, (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)) \
    OWN(C_InitToken, (CK_SLOT_ID slot, CK_BYTE_PTR pin, CK_ULONG length, CK_BYTE_PTR label)) \
    OWN(C_InitPIN, (CK_SESSION_HANDLE s, CK_BYTE_PTR pin, CK_ULONG length)) \
    OWN(C_SetPIN, (CK_SESSION_HANDLE s, CK_BYTE_PTR old, CK_ULONG n, CK_BYTE_PTR pin, CK_ULONG length)) \
    OWN(C_OpenSession, (CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR p, CK_NOTIFY notify, CK_SESSION_HANDLE *s)) \
    OWN(C_CloseSession, (CK_SESSION_HANDLE s)) \
    OWN(C_CloseAllSessions, (CK_SLOT_ID slot)) \
    OWN(C_GetSessionInfo, (CK_SESSION_HANDLE s, CK_SESSION_INFO *info)) \
    ON_SESSION(C_GetOperationState, (CK_SESSION_HANDLE s, CK_BYTE_PTR a, CK_ULONG_PTR n), (s, a, n)) \
    ON_SESSION(C_SetOperationState, (CK_SESSION_HANDLE s, CK_BYTE_PTR a, CK_ULONG n, CK_OBJECT_HANDLE k, \
        CK_OBJECT_HANDLE l), (s, a, n, k, l)) \
    OWN(C_Login, (CK_SESSION_HANDLE s, CK_USER_TYPE user, CK_BYTE_PTR pin, CK_ULONG length)) \
    ON_SESSION(C_Logout, (CK_SESSION_HANDLE s), (s)) \
    ON_SESSION(C_CreateObject, (CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o), (s, t, n, o)) \
    ON_SESSION(C_CopyObject, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE f, CK_ATTRIBUTE *t, CK_ULONG n, \
        CK_OBJECT_HANDLE *o), (s, f, t, n, o)) \
    ON_SESSION(C_DestroyObject, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o), (s, o)) \
    ON_SESSION(C_GetObjectSize, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ULONG_PTR n), (s, o, n)) \
    OWN(C_GetAttributeValue, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n)) \
    ON_SESSION(C_SetAttributeValue, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n), \
        (s, o, t, n)) \
    ON_SESSION(C_FindObjectsInit, (CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n), (s, t, n)) \
    OWN(C_FindObjects, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *o, CK_ULONG n, CK_ULONG_PTR c)) \
    ON_SESSION(C_FindObjectsFinal, (CK_SESSION_HANDLE s), (s)) \
    ON_SESSION(C_EncryptInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k), (s, m, k)) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_Encrypt) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_EncryptUpdate) \
    CRYPTOKI_LAST(ON_SESSION, C_EncryptFinal) \
    ON_SESSION(C_DecryptInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k), (s, m, k)) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_Decrypt) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_DecryptUpdate) \
    CRYPTOKI_LAST(ON_SESSION, C_DecryptFinal) \
    ON_SESSION(C_DigestInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m), (s, m)) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_Digest) \
    CRYPTOKI_ONE_WAY(ON_SESSION, C_DigestUpdate) \
    ON_SESSION(C_DigestKey, (CK_SESSION_HANDLE s, CK_OBJECT_HANDLE k), (s, k)) \
    CRYPTOKI_LAST(ON_SESSION, C_DigestFinal) \
    OWN(C_SignInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k)) \
    OWN(C_Sign, (CK_SESSION_HANDLE s, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR value, CK_ULONG_PTR size)) \
    CRYPTOKI_ONE_WAY(ON_SESSION, C_SignUpdate) \
    CRYPTOKI_LAST(ON_SESSION, C_SignFinal) \
    ON_SESSION(C_SignRecoverInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k), (s, m, k)) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_SignRecover) \
    ON_SESSION(C_VerifyInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k), (s, m, k)) \
    ON_SESSION(C_Verify, (CK_SESSION_HANDLE s, CK_BYTE_PTR a, CK_ULONG n, CK_BYTE_PTR b, CK_ULONG c), \
        (s, a, n, b, c)) \
    CRYPTOKI_ONE_WAY(ON_SESSION, C_VerifyUpdate) \
    CRYPTOKI_ONE_WAY(ON_SESSION, C_VerifyFinal) \
    ON_SESSION(C_VerifyRecoverInit, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k), (s, m, k)) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_VerifyRecover) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_DigestEncryptUpdate) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_DecryptDigestUpdate) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_SignEncryptUpdate) \
    CRYPTOKI_TWO_WAY(ON_SESSION, C_DecryptVerifyUpdate) \
    ON_SESSION(C_GenerateKey, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_ATTRIBUTE *t, CK_ULONG n, \
        CK_OBJECT_HANDLE *o), (s, m, t, n, o)) \
    ON_SESSION(C_GenerateKeyPair, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_ATTRIBUTE *t, CK_ULONG n, \
        CK_ATTRIBUTE *u, CK_ULONG v, CK_OBJECT_HANDLE *o, CK_OBJECT_HANDLE *p), (s, m, t, n, u, v, o, p)) \
    ON_SESSION(C_WrapKey, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE w, CK_OBJECT_HANDLE k, \
        CK_BYTE_PTR a, CK_ULONG_PTR n), (s, m, w, k, a, n)) \
    ON_SESSION(C_UnwrapKey, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE w, CK_BYTE_PTR a, \
        CK_ULONG n, CK_ATTRIBUTE *t, CK_ULONG c, CK_OBJECT_HANDLE *o), (s, m, w, a, n, t, c, o)) \
    ON_SESSION(C_DeriveKey, (CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k, CK_ATTRIBUTE *t, \
        CK_ULONG n, CK_OBJECT_HANDLE *o), (s, m, k, t, n, o)) \
    CRYPTOKI_ONE_WAY(ON_SESSION, C_SeedRandom) \
    CRYPTOKI_ONE_WAY(ON_SESSION, C_GenerateRandom) \
    ON_SESSION(C_GetFunctionStatus, (CK_SESSION_HANDLE s), (s)) \
    ON_SESSION(C_CancelFunction, (CK_SESSION_HANDLE s), (s)) \
    OWN(C_WaitForSlotEvent, (CK_FLAGS flags, CK_SLOT_ID *slot, CK_VOID_PTR reserved))

#define CRYPTOKI_ONE_WAY(ON_SESSION, name) \
    ON_SESSION(name, (CK_SESSION_HANDLE s, CK_BYTE_PTR a, CK_ULONG n), (s, a, n))
#define CRYPTOKI_TWO_WAY(ON_SESSION, name) \
    ON_SESSION(name, (CK_SESSION_HANDLE s, CK_BYTE_PTR a, CK_ULONG n, CK_BYTE_PTR b, CK_ULONG_PTR c), (s, a, n, b, c))
#define CRYPTOKI_LAST(ON_SESSION, name) \
    ON_SESSION(name, (CK_SESSION_HANDLE s, CK_BYTE_PTR a, CK_ULONG_PTR n), (s, a, n))

#define CRYPTOKI_OWN_MEMBER(name, parameters) CK_RV (*name) parameters;
#define CRYPTOKI_SESSION_MEMBER(name, parameters, arguments) CK_RV (*name) parameters;
typedef struct CK_FUNCTION_LIST {
    CK_VERSION version;
    CRYPTOKI_FUNCTIONS(CRYPTOKI_OWN_MEMBER, CRYPTOKI_SESSION_MEMBER)
} CK_FUNCTION_LIST;

#endif
